package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"holdfast"
	"holdfast/rules"
)

// rulesLook is how often the rules' file is looked at. A text is taken once two looks have found it the same, so that a file
// that is being written is not taken half.
const rulesLook = time.Second

// readBounded reads a file of rules, and no more of it than shows that it is too long.
func readBounded(name string) (string, error) {
	info, err := os.Stat(name) // before it is opened: a pipe would wait for its writer
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s: want a file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, rules.MaxBytes+1))
	return string(text), err
}

// watchRulesFile takes the rules of a file that has changed, until ctx ends.
func (g *gateway) watchRulesFile(ctx context.Context) error {
	if g.cfg.RulesFile == "" || g.cfg.RulesText != "" {
		return nil
	}
	w := rulesWatch{taken: g.cfg.rulesRead, seen: g.cfg.rulesRead, here: true}
	tick := time.NewTicker(rulesLook)
	defer tick.Stop()
	for {
		hurry := false
		select {
		case <-ctx.Done():
			return nil
		case <-g.world.hangup:
			hurry = true
		case <-tick.C:
		}
		text, err := readBounded(g.cfg.RulesFile)
		fresh, gone := w.look(text, err, hurry)
		switch {
		case gone:
			g.warn(fmt.Sprintf("rules file: %v; the rules before go on", err))
			g.event(holdfast.EventRules, refusedChange(holdfast.RulesChange{Origin: originFile}, err))
		case fresh:
			g.takeRulesFile(text)
		}
	}
}

// hangups returns what SIGHUP comes by, where there is a file to read again; elsewhere the signal ends the daemon.
func hangups(cfg Config) <-chan os.Signal {
	if cfg.RulesFile == "" || cfg.RulesText != "" {
		return nil
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c
}

// A rulesWatch tells when a file is to be read anew.
type rulesWatch struct {
	taken, seen string // the text that was read last, and that of the last look
	here        bool   // the file was there at the last two looks
	missed      int    // looks that found none
}

// look takes what the file holds now. hurry takes it at once: somebody says that it is whole.
func (w *rulesWatch) look(text string, err error, hurry bool) (fresh, gone bool) {
	if err != nil {
		w.missed++
		gone = w.here && (w.missed > 1 || !errors.Is(err, os.ErrNotExist)) // a moment without is an editor's
		w.here = w.here && !gone
		return false, gone
	}
	back := !w.here
	w.here, w.missed = true, 0
	still := text == w.seen
	w.seen = text
	if text == w.taken && !back || !still && !hurry {
		return false, false
	}
	w.taken = text
	return true, false
}

// takeRulesFile puts the text of the file in the place of the one before, unless it has mistakes.
func (g *gateway) takeRulesFile(text string) {
	g.notices.removeAll("rules file: ")
	g.notices.removeAll("configuration: " + g.cfg.RulesFile + ":")
	set, err := readRuleSet(originFile, g.cfg.RulesFile, text)
	if err != nil {
		change := set.told()
		change.Version = set.set().Said
		g.log.Error("rules of the file are not taken, those before go on", "err", err)
		for _, line := range bounded(strings.Split(err.Error(), "\n")) {
			g.notices.add("rules file: " + line)
		}
		g.event(holdfast.EventRules, refusedChange(change, err))
		return
	}
	g.sets.changed(set)
	if r, held := g.sets.about(set); r != "" {
		g.warn("rules file: " + r)
	} else if held {
		g.log.Info("rules of the file are read; those that were written go on", "version", set.Version)
	}
	g.lookAtRules()
	if good, err := readGood(g.cfg.DataDir); err == nil {
		good.Rules = text
		if err := good.keep(g.cfg.DataDir); err != nil {
			g.log.Warn("these rules cannot be kept for the next start", "err", err)
		}
	}
}

// maxRuleError bounds what an event tells of mistakes, in bytes.
const maxRuleError = 2048

// refusedChange is what an event tells of a set that is not taken.
func refusedChange(c holdfast.RulesChange, err error) holdfast.RulesChange {
	text := err.Error()
	c.State, c.Error = "refused", strings.ToValidUTF8(text[:min(len(text), maxRuleError)], "")
	return c
}
