// What enforces network policies on a node: kube-network-policies, with a login at the API server as other programs of
// the node have it. Its own main program takes its login from a pod.
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"syscall"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

func main() {
	login := flag.String("kubeconfig", "", "file with the login at the API server")
	node := flag.String("node", "", "name of the node")
	queue := flag.Int("queue", 100, "number of the queue of packets")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, *login, networkpolicy.Config{NodeName: *node, QueueID: *queue}); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, login string, settings networkpolicy.Config) error {
	config, err := clientcmd.BuildConfigFromFlags("", login)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	core := factory.Core().V1()
	policies := factory.Networking().V1().NetworkPolicies()
	controller, err := networkpolicy.NewController(
		client, policies, core.Namespaces(), core.Pods(), nil, nil, nil, nil, settings)
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	return controller.Run(ctx)
}
