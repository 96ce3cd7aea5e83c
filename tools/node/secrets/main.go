// What mounts secrets of Secret Manager on a node, as GKE's add-on does: the Secrets Store CSI driver with Google's
// provider, in one process. Their own main programs take their login from a pod, and the node from a metadata server.
package main

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	secretsv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"
	secretsstore "sigs.k8s.io/secrets-store-csi-driver/pkg/secrets-store"
	"sigs.k8s.io/secrets-store-csi-driver/provider/v1alpha1"
)

// providerName is what the spec of a SecretProviderClass says on GKE.
const providerName = "gke"

type settings struct {
	login    string
	node     string
	cluster  string
	driver   string
	kubelet  string
	rotation time.Duration
}

func main() {
	var given settings
	flag.StringVar(&given.login, "kubeconfig", "", "file with the login at the API server")
	flag.StringVar(&given.node, "node", "", "name of the node")
	flag.StringVar(&given.cluster, "cluster", "", "projects/P/locations/L/clusters/C of the GKE cluster")
	flag.StringVar(&given.driver, "driver", "", "name of the CSI driver")
	flag.StringVar(&given.kubelet, "kubelet", "", "folder of the kubelet")
	flag.DurationVar(&given.rotation, "rotation", 0, "how often the files of a volume are read again")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, given); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, given settings) error {
	config, err := clientcmd.BuildConfigFromFlags("", given.login)
	if err != nil {
		return err
	}
	folder := filepath.Join(given.kubelet, "plugins", given.driver)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := serveProvider(ctx, config, given.cluster, filepath.Join(folder, providerName+".sock")); err != nil {
		return err
	}
	socket := filepath.Join(folder, "csi.sock")
	driver, err := newDriver(config, given, "unix://"+socket, folder)
	if err != nil {
		return err
	}
	registry := filepath.Join(given.kubelet, "plugins_registry")
	if err := os.MkdirAll(registry, 0o750); err != nil {
		return err
	}
	if err := register(given.driver, socket, filepath.Join(registry, given.driver+"-reg.sock")); err != nil {
		return err
	}
	driver.Run(ctx)
	return nil
}

func newDriver(config *rest.Config, given settings, endpoint, providers string) (*secretsstore.SecretsStore, error) {
	scheme := runtime.NewScheme()
	if err := secretsv1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	// Without a cache, which would watch all objects of the cluster for a few volumes.
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	clients := secretsstore.NewPluginClientBuilder([]string{providers})
	rotates := given.rotation > 0
	return secretsstore.NewSecretsStoreDriver(
		given.driver, given.node, endpoint, clients, api, api, rotates, given.rotation), nil
}

func serveProvider(ctx context.Context, config *rest.Config, cluster, socket string) error {
	provider, err := newProvider(ctx, config, cluster)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	v1alpha1.RegisterCSIDriverProviderServer(server, provider)
	return serve(server, socket)
}

// serve listens on a socket, which a killed program may have left.
func serve(server *grpc.Server, socket string) error {
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	go func() { log.Fatal(server.Serve(listener)) }()
	return nil
}
