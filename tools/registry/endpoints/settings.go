package main

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"sync"
)

// Settings is the content of the settings file.
type Settings struct {
	Certificate string              `json:"certificate"` // file (PEM) with the names of all hosts
	Key         string              `json:"key"`
	Registry    string              `json:"registry"` // host name of the container registry
	Location    string              `json:"location"`
	Immutable   []string            `json:"immutable"`  // PROJECT/REPOSITORY whose tags never move
	Clusters    map[string]*Cluster `json:"clusters"`   // by host name
	Services    map[string]string   `json:"services"`   // addresses of servers of other APIs, by host name
	Identities  map[string]Identity `json:"identities"` // by token
	Nodes       string              `json:"nodes"`      // file (JSON) with more identities, those of nodes
	Faults      []*Fault            `json:"faults"`
	pair        *tls.Certificate
	rights      *rights
}

// Identity is who a token stands for, and what it may do.
type Identity struct {
	Principal string              `json:"principal"`
	Registry  map[string][]string `json:"registry"` // permissions by PROJECT/REPOSITORY
	Clusters  []string            `json:"clusters"` // hosts of clusters whose API it reaches
	User      string              `json:"user"`     // its name in Kubernetes
	Command   []string            `json:"command"`  // prints principal and registry, if these are not known yet
	Cluster   string              `json:"cluster"`  // ID of the GKE cluster of a node
	Google    []string            `json:"google"`   // answers for other APIs of Google (google.go)
}

// Fault is a failure of the registry.
type Fault struct {
	Method string `json:"method"` // regular expression
	Path   string `json:"path"`   // regular expression
	Status int    `json:"status"` // 0: no answer until the client ends the connection
	Times  int    `json:"times"`  // number of requests that fail; 0: all of them
	failed int
}

func (s *Settings) serves(host string) bool {
	_, cluster := s.Clusters[host]
	_, service := s.Services[host]
	return cluster || service || host == s.Registry || s.Nodes != "" && (host == secureToken || s.speaksGRPC(host))
}

// speaksGRPC tells whether a host answers gRPC, and nothing else.
func (s *Settings) speaksGRPC(host string) bool {
	return s.Nodes != "" && (host == secretValues || host == accountToken)
}

// nodes returns the identities of nodes by token.
func (s *Settings) nodes() (map[string]Identity, error) {
	content, err := os.ReadFile(s.Nodes)
	if err != nil {
		return nil, err
	}
	nodes := map[string]Identity{}
	err = json.Unmarshal(content, &nodes)
	return nodes, err
}

// identity returns the identity of a request's token, or nil.
func (s *Settings) identity(r *http.Request) (*Identity, error) {
	kind, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(kind, "Basic") {
		decoded, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return nil, nil
		}
		user, password, _ := strings.Cut(string(decoded), ":")
		if user != "oauth2accesstoken" {
			return nil, nil
		}
		value = password
	}
	if found, known := s.Identities[value]; known {
		return &found, nil
	}
	if s.Nodes == "" {
		return nil, nil
	}
	nodes, err := s.nodes()
	if err != nil {
		return nil, err
	}
	found, known := nodes[value]
	if !known {
		return nil, nil
	}
	if len(found.Command) > 0 {
		return s.rights.ask(value, found.Command)
	}
	return &found, nil
}

// source reads the settings file again when it changes.
type source struct {
	path     string
	lock     sync.Mutex
	read     os.FileInfo
	settings *Settings
	rights   rights
}

// certificate returns the certificate of the settings, which a session of the sandbox replaces by one with more names.
func (s *source) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	settings, err := s.current()
	if err != nil {
		return nil, err
	}
	return settings.pair, nil
}

func (s *source) current() (*Settings, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	info, err := os.Stat(s.path)
	if err != nil {
		return nil, err
	}
	// The file is replaced and never edited, so that another one has another identity.
	if s.settings != nil && os.SameFile(info, s.read) && info.ModTime().Equal(s.read.ModTime()) {
		return s.settings, nil
	}
	content, err := os.ReadFile(s.path)
	if err != nil {
		return nil, err
	}
	settings := &Settings{rights: &s.rights}
	if err := json.Unmarshal(content, settings); err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(settings.Certificate, settings.Key)
	if err != nil {
		return nil, err
	}
	settings.pair = &pair
	s.settings, s.read = settings, info
	return settings, nil
}
