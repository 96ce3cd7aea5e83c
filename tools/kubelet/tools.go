//go:build tools

// Package tools pins what runs on the nodes of the sandbox besides containerd: the kubelet, and kube-proxy. The DNS server
// is in dns.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-proxy"
	_ "k8s.io/kubernetes/cmd/kubelet"
)
