package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"

	"cloud.google.com/go/compute/metadata"
	iam "cloud.google.com/go/iam/credentials/apiv1"
	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"github.com/GoogleCloudPlatform/secrets-store-csi-driver-provider-gcp/auth"
	"github.com/GoogleCloudPlatform/secrets-store-csi-driver-provider-gcp/server"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// newProvider returns Google's provider. It asks Google with the identity of the pod, for which the kubelet gives it a
// token; the variables of a proxy say where Google is.
func newProvider(ctx context.Context, config *rest.Config, cluster string) (*server.Server, error) {
	node, err := newMetadata(cluster)
	if err != nil {
		return nil, err
	}
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	// Each call has a token of its own.
	options := []option.ClientOption{
		option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{}))),
		option.WithGRPCConnectionPool(1),
	}
	secrets, err := secretmanager.NewClient(ctx, options...)
	if err != nil {
		return nil, err
	}
	accounts, err := iam.NewIamCredentialsClient(ctx, options...)
	if err != nil {
		return nil, err
	}
	identity := &auth.Client{
		KubeClient:     api,
		IAMClient:      accounts,
		MetadataClient: metadata.NewClient(&http.Client{Transport: node}),
		HTTPClient:     &http.Client{Transport: http.DefaultTransport},
	}
	return &server.Server{
		SecretClient:          secrets,
		AuthClient:            identity,
		RegionalSecretClients: map[string]*secretmanager.Client{},
		SmOpts:                options,
	}, nil
}

// nodeMetadata answers for the metadata server of the node, by path.
type nodeMetadata map[string]string

func newMetadata(cluster string) (nodeMetadata, error) {
	parts := strings.Split(cluster, "/")
	if len(parts) != 6 || parts[0] != "projects" || parts[2] != "locations" || parts[4] != "clusters" {
		return nil, fmt.Errorf("%q is not projects/P/locations/L/clusters/C", cluster)
	}
	return nodeMetadata{
		"/computeMetadata/v1/project/project-id":                   parts[1],
		"/computeMetadata/v1/instance/attributes/cluster-location": parts[3],
		"/computeMetadata/v1/instance/attributes/cluster-name":     parts[5],
	}, nil
}

// RoundTrip answers a request, without a network.
func (m nodeMetadata) RoundTrip(r *http.Request) (*http.Response, error) {
	value, found := m[r.URL.Path]
	status := http.StatusOK
	if !found {
		status = http.StatusNotFound
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Metadata-Flavor": {"Google"}}, Request: r,
		Body: io.NopCloser(bytes.NewReader([]byte(value))), ContentLength: int64(len(value)),
	}, nil
}
