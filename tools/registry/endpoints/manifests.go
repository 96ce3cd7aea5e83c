package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// manifests keeps the requests that changed manifests in files, because the registry has them in memory only.
type manifests struct {
	images http.Handler
	folder string
	lock   sync.Mutex
	next   int
}

type change struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Type   string `json:"type"`
	Body   []byte `json:"body"`
}

// keepManifests repeats the changes of earlier starts, in their order: an index refers to manifests before it.
func keepManifests(images http.Handler, folder string) (http.Handler, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var before change
		if err := json.Unmarshal(content, &before); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		request := httptest.NewRequest(before.Method, before.Path, bytes.NewReader(before.Body))
		request.Header.Set("Content-Type", before.Type)
		answer := httptest.NewRecorder()
		images.ServeHTTP(answer, request)
		if answer.Code >= http.StatusBadRequest {
			return nil, fmt.Errorf("%s: the registry answers %d", name, answer.Code)
		}
	}
	return &manifests{images: images, folder: folder, next: len(names)}, nil
}

func (m *manifests) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	changes := r.Method == http.MethodPut || r.Method == http.MethodDelete
	if !changes || !strings.Contains(r.URL.Path, "/manifests/") {
		m.images.ServeHTTP(w, r)
		return
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "MANIFEST_INVALID", err.Error())
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	m.images.ServeHTTP(answer, r)
	if answer.Code < http.StatusBadRequest {
		if err := m.keep(change{r.Method, r.URL.Path, r.Header.Get("Content-Type"), body}); err != nil {
			refuse(w, http.StatusInternalServerError, "UNKNOWN", err.Error())
			return
		}
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// keep writes a change to a file of its own; a full disk leaves no half of one.
func (m *manifests) keep(made change) error {
	content, err := json.Marshal(made)
	if err != nil {
		return err
	}
	path := filepath.Join(m.folder, fmt.Sprintf("%09d.json", m.next))
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	m.next++
	return os.Rename(path+".new", path)
}
