package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/iam/credentials/apiv1/credentialspb"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	rpc "google.golang.org/grpc/status"
)

const (
	secureToken  = "securetoken.googleapis.com"
	secretValues = "secretmanager.googleapis.com"
	accountToken = "iamcredentials.googleapis.com"
	// audience is that of a token of a pod in a GKE cluster: the pool of its project, and the cluster that issued it.
	audience   = "identitynamespace:%s.svc.id.goog:https://container.googleapis.com/v1/%s"
	hourOfUse  = time.Hour
	oauthError = "invalid_grant"
)

// google plays what pods with a volume of Secret Manager need: the exchange of their token, the token of a Google account,
// and the value of a version. A command of the cluster decides who a token stands for, and what its holder may read.
type google struct {
	settings *source
	lock     sync.Mutex
	holders  map[string]holder // by token
}

type holder struct {
	principal string
	cluster   *Identity
	until     time.Time
}

// question is what a command reads from its standard input.
type question struct {
	Method    string `json:"method"`
	Token     string `json:"token,omitempty"`
	Principal string `json:"principal,omitempty"`
	Account   string `json:"account,omitempty"`
	Name      string `json:"name,omitempty"`
}

// reply is what a command prints.
type reply struct {
	Principal string `json:"principal"`
	Name      string `json:"name"`
	Data      []byte `json:"data"`
	Refusal   string `json:"refusal"` // name of a gRPC code
	Message   string `json:"message"`
}

func newGoogle(settings *source) *google {
	return &google{settings: settings, holders: map[string]holder{}}
}

// server answers on connections of the hosts that gRPC clients call.
func (g *google) server(credentials credentials.TransportCredentials) *grpc.Server {
	server := grpc.NewServer(grpc.Creds(credentials))
	secretmanagerpb.RegisterSecretManagerServiceServer(server, &secretServer{google: g})
	credentialspb.RegisterIAMCredentialsServer(server, &accountServer{google: g})
	return server
}

// ServeHTTP exchanges the token of a pod, as the client of Google's provider does.
// https://github.com/GoogleCloudPlatform/secrets-store-csi-driver-provider-gcp/blob/v1.7.0/auth/auth.go
func (g *google) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var given struct {
		Audience string `json:"audience"`
		Token    string `json:"subject_token"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&given); err != nil {
		exchangeRefused(w, http.StatusBadRequest, err.Error())
		return
	}
	cluster, err := g.cluster(given.Audience)
	if err != nil {
		exchangeRefused(w, http.StatusInternalServerError, err.Error())
		return
	}
	if cluster == nil {
		exchangeRefused(w, http.StatusBadRequest, "Invalid value for \"audience\".")
		return
	}
	answer, err := ask(r.Context(), cluster, question{Method: "exchange", Token: given.Token})
	if err != nil {
		exchangeRefused(w, http.StatusUnauthorized, err.Error())
		return
	}
	token := g.issue(holder{principal: answer.Principal, cluster: cluster})
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"access_token": token, "token_type": "Bearer", "expires_in": int(hourOfUse.Seconds()),
	})
}

func exchangeRefused(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": oauthError, "error_description": message})
}

// cluster returns the node whose cluster an audience names, or nil.
func (g *google) cluster(given string) (*Identity, error) {
	settings, err := g.settings.current()
	if err != nil {
		return nil, err
	}
	nodes, err := settings.nodes()
	if err != nil {
		return nil, err
	}
	for _, node := range nodes {
		parts := strings.Split(node.Cluster, "/")
		if len(parts) == 6 && given == fmt.Sprintf(audience, parts[1], node.Cluster) && len(node.Google) > 0 {
			return &node, nil
		}
	}
	return nil, nil
}

// issue returns a token for its holder, and forgets those that are over.
func (g *google) issue(to holder) string {
	g.lock.Lock()
	defer g.lock.Unlock()
	now := time.Now()
	for token, other := range g.holders {
		if now.After(other.until) {
			delete(g.holders, token)
		}
	}
	to.until = now.Add(hourOfUse)
	token := rand.Text()
	g.holders[token] = to
	return token
}

// caller returns the holder of the token of a call.
func (g *google) caller(ctx context.Context) (holder, error) {
	given, _ := metadata.FromIncomingContext(ctx)
	for _, value := range given.Get("authorization") {
		g.lock.Lock()
		found, known := g.holders[strings.TrimPrefix(value, "Bearer ")]
		g.lock.Unlock()
		if known && time.Now().Before(found.until) {
			return found, nil
		}
	}
	return holder{}, rpc.Error(codes.Unauthenticated, "Request had invalid authentication credentials.")
}

// ask runs the command of a cluster; an answer that is a refusal is an error with its code.
func ask(ctx context.Context, cluster *Identity, asked question) (*reply, error) {
	input, err := json.Marshal(asked)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, cluster.Google[0], cluster.Google[1:]...)
	var failure bytes.Buffer
	command.Stdin, command.Stderr = bytes.NewReader(input), &failure
	output, err := command.Output()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(failure.String()), "\n")
		return nil, rpc.Errorf(codes.Internal, "the simulated cloud does not answer: %s", lines[len(lines)-1])
	}
	answer := &reply{}
	if err := json.Unmarshal(output, answer); err != nil {
		return nil, rpc.Error(codes.Internal, err.Error())
	}
	if answer.Refusal != "" {
		var code codes.Code
		if err := code.UnmarshalJSON([]byte(`"` + answer.Refusal + `"`)); err != nil {
			return nil, rpc.Error(codes.Internal, err.Error())
		}
		return nil, rpc.Error(code, answer.Message)
	}
	return answer, nil
}
