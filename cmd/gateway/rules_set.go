package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"holdfast"
	"holdfast/rules"
)

// Where rules of the configuration are from. Those of the setting have the origin of whoever wrote it.
const (
	originFile     = "file"     // rules.file
	originVariable = "variable" // RULES_TEXT, or rules.text in the configuration file
	originExample  = "example"  // those of a simulated Pi
)

// A ruleSet is a set of rules as a document: what somebody wrote, and what it says.
type ruleSet struct {
	Origin   string `json:"origin"`
	Version  int    `json:"version"`
	Text     string `json:"text"`
	Revision int64  `json:"revision,omitempty"` // of the setting; 0 where the configuration has it

	rules *rules.Set // those of the text that are right
}

// readRuleSet reads a text; where names it in the error, which is about every mistake. With an error the set holds what is right.
func readRuleSet(origin, where, text string) (*ruleSet, error) {
	set, err := rules.Parse(where, []byte(text))
	return &ruleSet{Origin: origin, Version: set.Version, Text: text, rules: set}, err
}

// ofSetting is the set that a value of the setting rules is; nil for null. The error is as with readRuleSet.
func ofSetting(s holdfast.Setting) (*ruleSet, error) {
	if holdfast.IsNull(s.Value) {
		return nil, nil
	}
	set, err := parseRules(s.Value)
	if set == nil {
		return nil, err
	}
	var given holdfast.RuleSet
	_ = json.Unmarshal(s.Value, &given) // parseRules did
	return &ruleSet{Origin: string(s.Origin), Version: given.Version, Text: given.YAML, Revision: s.Revision, rules: set}, err
}

// hash tells texts apart: 16 hex digits, "" of no set.
func (s *ruleSet) hash() string {
	if s == nil {
		return ""
	}
	sum := sha256.Sum256([]byte(s.Text))
	return hex.EncodeToString(sum[:8])
}

// written reports whether somebody set it while the gateway ran.
func (s *ruleSet) written() bool { return s != nil && s.Revision > 0 }

// set is what the engine runs. One that was kept from an earlier start is read again.
func (s *ruleSet) set() *rules.Set {
	if s == nil {
		return new(rules.Set)
	}
	if s.rules == nil {
		s.rules, _ = rules.Parse(s.Origin, []byte(s.Text)) // it was right
	}
	return s.rules
}

// value is what the setting rules is set to so that this set holds.
func (s *ruleSet) value() json.RawMessage {
	value, _ := json.Marshal(holdfast.RuleSet{Version: s.Version, YAML: s.Text}) // text always has JSON
	return value
}

// told is the set as an event tells of it.
func (s *ruleSet) told() holdfast.RulesChange {
	if s == nil {
		return holdfast.RulesChange{}
	}
	return holdfast.RulesChange{Version: s.Version, Origin: s.Origin, Hash: s.hash(), Rules: len(s.set().Names())}
}

// before is the set as the event of the next one tells of it.
func (s *ruleSet) before() *holdfast.RulesBefore {
	if s == nil {
		return nil
	}
	return &holdfast.RulesBefore{Version: s.Version, Origin: s.Origin, Hash: s.hash()}
}

// inlineText is the document that a variable holds: as it is, with \n in place of the ends of lines, or in base64.
func inlineText(value string) string {
	if text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), "")); err == nil && utf8.Valid(text) {
		return string(text) // no set is base64: each has a colon
	}
	if !strings.Contains(value, "\n") {
		return strings.ReplaceAll(value, `\n`, "\n")
	}
	return value
}
