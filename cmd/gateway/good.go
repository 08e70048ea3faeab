package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A configuration without mistakes is kept in the data folder. Where a later one has some, what is wrong in it keeps the value
// that was right last, so that a slip of the pen does not change what a Pi has been doing; see docs/adr/0023.

// goodFile is its name. It may hold secrets, and is for nobody else to read.
const goodFile = "config.good"

// A goodConfig is what is kept.
type goodConfig struct {
	V      int               `json:"v"`
	Text   string            `json:"text"`   // of the configuration file
	Values map[string]string `json:"values"` // scalars that were set, by path
	Rules  string            `json:"rules"`  // text of the rules file
}

// A mistake is one thing that is wrong in a configuration.
type mistake struct {
	path string // the key; empty where it is the text as a whole
	err  error
}

func (m mistake) Error() string { return m.err.Error() }
func (m mistake) Unwrap() error { return m.err }

// good returns what is to be kept of the sources of a configuration without mistakes.
func (s *sources) good(cfg *Config) goodConfig {
	g := goodConfig{V: 1, Text: string(s.text), Values: make(map[string]string)}
	written := flatten(s.text)
	for _, scalar := range scalars() {
		if value, ok := scalar.find(written, s.getenv); ok {
			g.Values[scalar.path] = value
		}
	}
	g.Rules = cfg.rulesRead
	return g
}

// find returns what file and variables say of a scalar, the variable first.
func (s *scalar) find(written map[string]string, getenv func(string) string) (value string, ok bool) {
	for _, name := range s.variables() {
		if value := getenv(name); value != "" {
			return value, true
		}
	}
	value, ok = written[s.path]
	return value, ok
}

// keep writes g into the folder, unless it stands there already.
func (g goodConfig) keep(dir string) error {
	data, err := json.Marshal(g)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, goodFile)
	if known, err := os.ReadFile(path); err == nil && string(known) == string(data) {
		return nil
	}
	fresh := path + ".new"
	if err := os.WriteFile(fresh, data, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

// readGood returns what is kept in the folder.
func readGood(dir string) (g goodConfig, err error) {
	data, err := os.ReadFile(filepath.Join(dir, goodFile))
	if err == nil {
		err = json.Unmarshal(data, &g)
	}
	return g, err
}

// mend returns the configuration of s with what was right last in place of what is wrong, and the mistakes, each with what
// holds in its place. Where nothing is kept in the folder, defaults hold.
func (s *sources) mend(cfg Config, mistakes []mistake) (Config, []mistake) {
	g, err := readGood(cfg.DataDir)
	if err != nil {
		return cfg, mistakes
	}
	about := func(prefix string) bool {
		return slices.ContainsFunc(mistakes, func(m mistake) bool {
			rest, ok := strings.CutPrefix(m.path, prefix)
			return ok && (rest == "" || prefix != "" && strings.ContainsAny(rest[:1], "[."))
		})
	}
	mended := *s
	if about("") {
		mended.text, mended.err = []byte(g.Text), nil
	}
	kept := make(map[string]string)
	for _, scalar := range scalars() {
		if about(scalar.path) {
			for _, name := range scalar.variables() {
				kept[name] = "" // one of them may be what is wrong
			}
			kept[scalar.variables()[0]] = g.Values[scalar.path]
		}
	}
	mended.getenv = func(name string) string {
		if value, ok := kept[name]; ok {
			return value
		}
		return s.getenv(name)
	}
	was, _ := (&sources{where: goodFile, text: []byte(g.Text), getenv: func(string) string { return "" }}).load()
	now, _ := mended.load()
	if about("sensors") {
		now.Sensors = was.Sensors
	}
	if about("filters") {
		now.Filters = was.Filters
	}
	if about("rules.file") && g.Rules != "" {
		if set, err := readRuleSet(originFile, goodFile, g.Rules); err == nil {
			now.Rules = set
		}
	}
	now.markKept(kept)
	now.secrets = append(now.secrets, cfg.secrets...)
	for i, m := range mistakes {
		mistakes[i].err = fmt.Errorf("%w; what was right last holds", m.err)
	}
	return now, mistakes
}

// markKept says of values that are those of before where they are from.
func (c *Config) markKept(variables map[string]string) {
	for i := range c.Values {
		name, ok := strings.CutPrefix(c.Values[i].Source, "variable ")
		if _, kept := variables[name]; ok && kept {
			c.Values[i].Source = "last known good"
		}
	}
}

func joined(mistakes []mistake) error {
	errs := make([]error, len(mistakes))
	for i, m := range mistakes {
		errs[i] = m
	}
	return errors.Join(errs...)
}
