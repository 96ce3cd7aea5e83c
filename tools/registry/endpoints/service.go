package main

import (
	"encoding/json"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// principal is the header by which a server of the sandbox learns who calls.
const principal = "X-Atwork-Principal"

// pass lets the proxy read the request while it writes the answer. Otherwise the server closes the body of a request
// with the first byte of its answer; a proxy that still waits for the end of the body then drops the answer.
func pass(reverse *httputil.ReverseProxy, w http.ResponseWriter, r *http.Request) {
	if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	reverse.ServeHTTP(w, r)
}

// serveService passes a request on to the server of an API, which decides what its principal may do.
func serveService(w http.ResponseWriter, r *http.Request, identity *Identity, address string) {
	target, err := url.Parse(address)
	if identity == nil || err != nil {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
			"code": http.StatusUnauthorized, "status": "UNAUTHENTICATED",
			"message": "Request had invalid authentication credentials.",
		}})
		return
	}
	reverse := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		p.Out.Header.Del("Authorization")
		p.Out.Header.Set(principal, identity.Principal)
	}}
	pass(reverse, w, r)
}
