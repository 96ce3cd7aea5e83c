//go:build tools

// Package tools pins Helm, which the tests of charts run.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
