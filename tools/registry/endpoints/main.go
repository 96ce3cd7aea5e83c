// Command google-endpoints answers, on loopback and under their real names, for the parts of Google Cloud that a
// pipeline talks to: the container registry, the API servers of clusters, and other APIs that a server of the sandbox
// answers for.
//
// It is an HTTPS proxy: clients with HTTPS_PROXY reach only the hosts of the settings file, under certificates of the
// sandbox's own authority. Every request needs a token of the settings file, and may do what the file says for it. The
// file is read again when it changes. The program ends when its standard input closes, so that it never outlives the
// process that started it. With -listen it stays until it is stopped, and keeps its images.
package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"
	"google.golang.org/grpc/credentials"
)

// memory is what the program takes when nothing is uploaded; above it, freed memory is returned to the machine at once.
const memory = 64 << 20

func main() {
	// The registry has each layer in memory while it is uploaded, which can be hundreds of megabytes.
	debug.SetMemoryLimit(memory)
	path := flag.String("settings", "", "settings file (JSON)")
	blobs := flag.String("blobs", "", "folder for the content of images")
	address := flag.String("listen", "", "address of a program that stays; else any free port, until standard input closes")
	manifests := flag.String("manifests", "", "folder for the manifests of images, which the next start reads")
	flag.Parse()
	settings := &source{path: *path}
	if _, err := settings.current(); err != nil {
		log.Fatal(err)
	}
	stays := *address != ""
	if !stays {
		*address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	quiet := log.New(io.Discard, "", 0)
	var images http.Handler = registry.New(
		registry.WithBlobHandler(registry.NewDiskBlobHandler(*blobs)), registry.Logger(quiet))
	if *manifests != "" {
		if images, err = keepManifests(images, *manifests); err != nil {
			log.Fatal(err)
		}
	}
	inner, calls := newConnections(listener.Addr()), newConnections(listener.Addr())
	google := newGoogle(settings)
	certificate := &tls.Config{GetCertificate: settings.certificate}
	go func() { log.Fatal(google.server(credentials.NewTLS(certificate.Clone())).Serve(calls)) }()
	hosts := &hosts{settings: settings, google: google, registry: &guard{settings: settings, images: images}}
	go func() { log.Fatal((&http.Server{Handler: hosts, ErrorLog: quiet}).Serve(inner)) }()
	if !stays {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	fmt.Println(listener.Addr())
	outer := &proxy{settings: settings, inner: inner, calls: calls, tls: certificate}
	log.Fatal((&http.Server{Handler: outer, ErrorLog: quiet}).Serve(listener))
}

// proxy accepts CONNECT for the hosts of the settings, and for no others.
type proxy struct {
	settings *source
	inner    *connections
	calls    *connections // of gRPC, whose server does TLS itself
	tls      *tls.Config
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	settings, err := p.settings.current()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	host, _, _ := net.SplitHostPort(r.Host)
	conn, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	if r.Method != http.MethodConnect || !settings.serves(host) {
		// Clients show the text of the status line and nothing else.
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 403 %s is no endpoint of the sandbox\r\nContent-Length: 0\r\n\r\n", host)
		_ = conn.Close()
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	if settings.speaksGRPC(host) {
		p.calls.add(&rest{conn, buffered.Reader})
		return
	}
	p.inner.add(tls.Server(&rest{conn, buffered.Reader}, p.tls))
}

// rest is a connection whose first bytes may be in a buffer already.
type rest struct {
	net.Conn
	reader *bufio.Reader
}

func (c *rest) Read(b []byte) (int, error) { return c.reader.Read(b) }

// connections is a listener whose connections come from the proxy.
type connections struct {
	queue   chan net.Conn
	address net.Addr
	once    sync.Once
}

func newConnections(address net.Addr) *connections {
	return &connections{queue: make(chan net.Conn), address: address}
}

func (c *connections) add(conn net.Conn) { c.queue <- conn }

func (c *connections) Accept() (net.Conn, error) {
	conn, open := <-c.queue
	if !open {
		return nil, errors.New("closed")
	}
	return conn, nil
}

func (c *connections) Close() error {
	c.once.Do(func() { close(c.queue) })
	return nil
}

func (c *connections) Addr() net.Addr { return c.address }

// hosts chooses the endpoint by the name of the host.
type hosts struct {
	settings *source
	google   http.Handler
	registry http.Handler
}

func (h *hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	settings, err := h.settings.current()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == secureToken && settings.serves(host) {
		h.google.ServeHTTP(w, r)
		return
	}
	identity, err := settings.identity(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if cluster, found := settings.Clusters[host]; found {
		cluster.serve(w, r, identity, host)
		return
	}
	if address, found := settings.Services[host]; found {
		serveService(w, r, identity, address)
		return
	}
	h.registry.ServeHTTP(w, r)
}
