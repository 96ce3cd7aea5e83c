//go:build tools

// Package tools pins the kubelet of the nodes that the sandbox can run.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kubelet"
)
