// Reads a Dockerfile from standard input as BuildKit does, and writes its stages as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

type stage struct {
	Name  string   `json:"name"`
	Image string   `json:"image"`
	Line  int      `json:"line"`
	Users []string `json:"users"`
}

type arguments map[string]string

func (values arguments) Get(name string) (string, bool) { value, ok := values[name]; return value, ok }
func (values arguments) Keys() []string {
	var names []string
	for name := range values {
		names = append(names, name)
	}
	return names
}

func main() {
	result, err := parser.Parse(os.Stdin)
	if err != nil {
		fail(err)
	}
	found, meta, err := instructions.Parse(result.AST, nil)
	if err != nil {
		fail(err)
	}
	lex := shell.NewLex(result.EscapeToken)
	values := arguments{"TARGETARCH": "amd64", "BUILDPLATFORM": "linux/amd64"}
	for _, command := range meta {
		for _, argument := range command.Args {
			if argument.Value != nil {
				expanded, err := lex.ProcessWordWithMatches(*argument.Value, values)
				if err != nil {
					fail(err)
				}
				values[argument.Key] = expanded.Result
			}
		}
	}
	stages := []stage{}
	for _, each := range found {
		image, err := lex.ProcessWordWithMatches(each.BaseName, values)
		if err != nil {
			fail(err)
		}
		users := []string{}
		for _, command := range each.Commands {
			if user, ok := command.(*instructions.UserCommand); ok {
				users = append(users, user.User)
			}
		}
		stages = append(stages, stage{each.Name, image.Result, each.Location[0].Start.Line, users})
	}
	if err := json.NewEncoder(os.Stdout).Encode(stages); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
