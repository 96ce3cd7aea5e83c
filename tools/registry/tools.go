//go:build tools

// Package tools pins a container registry and its client, which the tests of the pipeline run.
package tools

import (
	_ "github.com/google/go-containerregistry/cmd/crane"
	_ "github.com/google/go-containerregistry/cmd/registry"
)
