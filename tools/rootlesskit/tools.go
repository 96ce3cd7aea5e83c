//go:build tools

// Package tools pins RootlessKit, in the version of BuildKit's image without root.
package tools

import _ "github.com/rootless-containers/rootlesskit/v3/cmd/rootlesskit"
