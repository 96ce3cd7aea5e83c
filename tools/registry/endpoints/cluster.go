package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
)

// Cluster is an API server behind its DNS endpoint. The endpoint lets in whom IAM lets in; what they may do there, the
// API server decides from their name.
type Cluster struct {
	Server    string `json:"server"`
	Authority string `json:"authority"` // file with the certificate authority of the server
	Token     string `json:"token"`     // token with which requests are made in the name of others
	once      sync.Once
	transport *http.Transport
	failure   error
}

func (c *Cluster) serve(w http.ResponseWriter, r *http.Request, identity *Identity, host string) {
	if identity == nil {
		status(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	if !slices.Contains(identity.Clusters, host) {
		status(w, http.StatusForbidden, "Required \"container.clusters.connect\" permission: "+identity.Principal)
		return
	}
	c.once.Do(c.connect)
	target, err := url.Parse(c.Server)
	if c.failure != nil || err != nil {
		status(w, http.StatusBadGateway, fmt.Sprint(c.failure, err))
		return
	}
	if other := r.Header.Get("Impersonate-User"); other != "" && !c.mayImpersonate(identity.User, other) {
		status(w, http.StatusForbidden, fmt.Sprintf("User %q cannot impersonate %q", identity.User, other))
		return
	}
	reverse := &httputil.ReverseProxy{Transport: c.transport, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		p.Out.Header.Set("Authorization", "Bearer "+c.Token)
		// Groups are never the client's to say: the API server adds those of service accounts by itself.
		for name := range p.Out.Header {
			if strings.HasPrefix(name, "Impersonate-") && name != "Impersonate-User" {
				p.Out.Header.Del(name)
			}
		}
		if r.Header.Get("Impersonate-User") == "" {
			p.Out.Header.Set("Impersonate-User", identity.User)
			p.Out.Header.Set("Impersonate-Group", "system:authenticated")
		}
	}}
	pass(reverse, w, r)
}

func (c *Cluster) connect() {
	authority, err := os.ReadFile(c.Authority)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(authority) {
		c.failure = fmt.Errorf("%s: no certificate authority: %w", c.Authority, err)
		return
	}
	c.transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
}

// mayImpersonate asks the API server, which would ask itself if the request came from the user.
func (c *Cluster) mayImpersonate(user, other string) bool {
	attributes := map[string]string{"verb": "impersonate", "resource": "users", "name": other}
	if parts := strings.Split(other, ":"); len(parts) == 4 && parts[1] == "serviceaccount" {
		attributes = map[string]string{
			"verb": "impersonate", "resource": "serviceaccounts", "namespace": parts[2], "name": parts[3],
		}
	}
	review, _ := json.Marshal(map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
		"spec": map[string]any{
			"user": user, "groups": []string{"system:authenticated"}, "resourceAttributes": attributes,
		},
	})
	request, err := http.NewRequest(http.MethodPost,
		c.Server+"/apis/authorization.k8s.io/v1/subjectaccessreviews", bytes.NewReader(review))
	if err != nil {
		return false
	}
	request.Header.Set("Authorization", "Bearer "+c.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	var answer struct{ Status struct{ Allowed bool } }
	return json.NewDecoder(response.Body).Decode(&answer) == nil && answer.Status.Allowed
}

// status answers as an API server does.
func status(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "message": message,
		"reason": strings.ReplaceAll(http.StatusText(code), " ", ""),
	})
}
