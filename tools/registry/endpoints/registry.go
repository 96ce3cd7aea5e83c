package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
)

const (
	download = "artifactregistry.repositories.downloadArtifacts"
	upload   = "artifactregistry.repositories.uploadArtifacts"
	remove   = "artifactregistry.repositories.deleteArtifacts"
)

// guard stands before the registry and answers as Artifact Registry does.
// https://cloud.google.com/artifact-registry/docs/access-control
type guard struct {
	settings *source
	images   http.Handler
	lock     sync.Mutex
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	settings, err := g.settings.current()
	if err != nil {
		refuse(w, http.StatusInternalServerError, "UNKNOWN", err.Error())
		return
	}
	identity, err := settings.identity(r)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "UNKNOWN", err.Error())
		return
	}
	if identity == nil {
		challenge := fmt.Sprintf(`Bearer realm="https://%s/v2/token",service="%s"`, settings.Registry, settings.Registry)
		w.Header().Set("WWW-Authenticate", challenge)
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "Unauthenticated request")
		return
	}
	if r.URL.Path == "/v2/token" {
		_, token, _ := r.BasicAuth()
		_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": 3600})
		return
	}
	if fault := g.fault(settings, r); fault != nil {
		if fault.Status == 0 {
			_, _ = io.Copy(io.Discard, r.Body) // the server notices the end of a connection only after the body
			<-r.Context().Done()
			return
		}
		refuse(w, fault.Status, "UNKNOWN", http.StatusText(fault.Status))
		return
	}
	repository, known := repositoryOf(r.URL.Path)
	if known {
		permission := permissionOf(r.Method)
		if !slices.Contains(identity.Registry[repository], permission) {
			refuse(w, http.StatusForbidden, "DENIED", denial(settings, repository, permission))
			return
		}
		// A blob of another repository is mounted only by those who may read it there.
		if from := r.URL.Query().Get("from"); from != "" {
			other, _ := repositoryOf("/v2/" + from + "/")
			if !slices.Contains(identity.Registry[other], download) {
				refuse(w, http.StatusForbidden, "DENIED", denial(settings, other, download))
				return
			}
		}
	}
	if err := receive(r); err != nil {
		refuse(w, http.StatusBadRequest, "BLOB_UPLOAD_INVALID", err.Error())
		return
	}
	defer r.Body.Close()
	if known && r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") &&
		slices.Contains(settings.Immutable, repository) {
		g.putOnce(w, r)
		return
	}
	g.images.ServeHTTP(w, r)
}

// receive reads the whole body of a request before a lock is taken. The registry holds one lock for all uploads while it
// reads a body, and so does putOnce; BuildKit may continue one upload only after another one, so that both would wait for
// ever.
func receive(r *http.Request) error {
	if r.Body == http.NoBody {
		return nil
	}
	file, err := os.CreateTemp("", "upload-*")
	if err != nil {
		return err
	}
	_ = os.Remove(file.Name()) // the open file stays readable, and nothing is left behind
	size, err := io.Copy(file, r.Body)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	r.Body, r.ContentLength = file, size
	return nil
}

// putOnce stores a manifest unless its tag has another one.
func (g *guard) putOnce(w http.ResponseWriter, r *http.Request) {
	g.lock.Lock()
	defer g.lock.Unlock()
	content, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "MANIFEST_INVALID", err.Error())
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(content))
	existing := httptest.NewRecorder()
	g.images.ServeHTTP(existing, httptest.NewRequest(http.MethodHead, r.URL.Path, nil))
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(content))
	if existing.Code == http.StatusOK && existing.Header().Get("Docker-Content-Digest") != digest {
		tag := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		refuse(w, http.StatusBadRequest, "DENIED", "cannot update tag "+tag+". The repository has enabled tag immutability")
		return
	}
	g.images.ServeHTTP(w, r)
}

func (g *guard) fault(settings *Settings, r *http.Request) *Fault {
	g.lock.Lock()
	defer g.lock.Unlock()
	for _, fault := range settings.Faults {
		method, _ := regexp.MatchString("^(?:"+fault.Method+")$", r.Method)
		path, _ := regexp.MatchString(fault.Path, r.URL.Path)
		if method && path && (fault.Times == 0 || fault.failed < fault.Times) {
			fault.failed++
			return fault
		}
	}
	return nil
}

// repositoryOf returns PROJECT/REPOSITORY of a path /v2/PROJECT/REPOSITORY/IMAGE/...
func repositoryOf(path string) (string, bool) {
	parts := strings.Split(path, "/")
	if len(parts) < 5 || parts[1] != "v2" {
		return "", false
	}
	return parts[2] + "/" + parts[3], true
}

func permissionOf(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		return download
	case http.MethodDelete:
		return remove
	default:
		return upload
	}
}

func denial(settings *Settings, repository, permission string) string {
	project, id, _ := strings.Cut(repository, "/")
	return fmt.Sprintf("Permission %q denied on resource \"projects/%s/locations/%s/repositories/%s\" (or it may not exist)",
		permission, project, settings.Location, id)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}
