//go:build tools

// Package tools pins actionlint, which the test of the workflows runs.
package tools

import _ "github.com/rhysd/actionlint/cmd/actionlint"
