//go:build tools

// Package tools pins BuildKit, which builds the images of services.
package tools

import (
	_ "github.com/moby/buildkit/cmd/buildctl"
	_ "github.com/moby/buildkit/cmd/buildkitd"
)
