// Package mlog stands for a module that the Go module proxy does not serve. The driver calls one function of it.
package mlog

import "log"

// Fatal ends the program with an error.
func Fatal(err error) { log.Fatal(err) }
