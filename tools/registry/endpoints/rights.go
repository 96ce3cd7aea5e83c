package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"
)

const lifetime = 5 * time.Second // a pull has a dozen requests; changed rights hold for the next pull

// rights asks commands who a token stands for and what it may do.
type rights struct {
	lock  sync.Mutex
	known map[string]answer // by token
}

type answer struct {
	identity *Identity
	until    time.Time
}

func (r *rights) ask(token string, command []string) (*Identity, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if found, known := r.known[token]; known && time.Now().Before(found.until) {
		return found.identity, nil
	}
	output, err := exec.Command(command[0], command[1:]...).Output()
	if err != nil {
		var ended *exec.ExitError
		if errors.As(err, &ended) {
			lines := strings.Split(strings.TrimSpace(string(ended.Stderr)), "\n")
			return nil, fmt.Errorf("the rights of the node are not known: %s", lines[len(lines)-1])
		}
		return nil, err
	}
	identity := &Identity{}
	if err := json.Unmarshal(output, identity); err != nil {
		return nil, err
	}
	if r.known == nil {
		r.known = map[string]answer{}
	}
	r.known[token] = answer{identity, time.Now().Add(lifetime)}
	return identity, nil
}
