//go:build tools

// Package tools pins promtool, which tests the alerts.
package tools

import _ "github.com/prometheus/prometheus/cmd/promtool"
