module atwork.dev/tools/gatewayapi

go 1.26.0

// Only its CustomResourceDefinitions are read (tests/support/gateway_api.py); nothing is built.
require sigs.k8s.io/gateway-api v1.6.3
