package main

import (
	"bytes"
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"sync"

	"holdfast"
	"holdfast/dashboard"
)

// A bundle is what a person needs who looks for a fault from afar. It holds no secret.
type bundle struct {
	Version       string             `json:"version"`
	Go            string             `json:"go"`
	Platform      string             `json:"platform"`
	Status        holdfast.Status    `json:"status"`
	Page          dashboard.View     `json:"page"` // what the Pi's own page shows: link, buffer, sensors, alerts, notices
	Configuration []ConfigValue      `json:"configuration"`
	Settings      []holdfast.Setting `json:"settings"`
	Log           []string           `json:"log"` // the newest lines, oldest first
}

// diagnose returns the bundle, with as many lines of the log as there is room for.
func (g *gateway) diagnose(ctx context.Context) (any, error) {
	b := bundle{
		Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Status: g.status(), Page: g.Status(ctx), Configuration: g.configuration(), Settings: g.control.Told(), Log: g.world.recent.lines(),
	}
	b.Page.Sensors = b.Page.Sensors[:min(len(b.Page.Sensors), 100)]
	b.Status.OlderStreams = b.Status.OlderStreams[:min(len(b.Status.OlderStreams), 20)]
	b.Page.Buffer.Older = b.Page.Buffer.Older[:min(len(b.Page.Buffer.Older), 20)]
	for {
		data, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		if data = conceal(data, g.secrets()); len(data) <= holdfast.MaxResultBytes || len(b.Log) == 0 {
			return json.RawMessage(data), nil
		}
		b.Log = b.Log[(len(b.Log)+3)/4:]
	}
}

// secrets are those of the configuration, and what it made of them.
func (g *gateway) secrets() []string {
	return append([]string{g.links.inUse().Password, g.cfg.MQTTPassword, g.cfg.RedisPassword, g.cfg.DashboardToken, g.cfg.SupervisorKey}, g.cfg.secrets...)
}

// conceal takes every secret out of a JSON text, wherever it may have got into: nothing should have put one there.
func conceal(data []byte, secrets []string) []byte {
	for _, secret := range secrets {
		quoted, err := json.Marshal(secret)
		if err != nil || len(secret) < 4 { // what is so short cannot be told from other text
			continue
		}
		data = bytes.ReplaceAll(data, quoted[1:len(quoted)-1], []byte(concealed))
	}
	return data
}

// recent keeps the newest lines of the log.
type recent struct {
	mu   sync.Mutex
	kept []string
	size int
}

// recentBytes bounds what recent keeps.
const recentBytes = 32 << 10

// Write implements io.Writer: one line of the log.
func (r *recent) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := strings.TrimRight(string(line[:min(len(line), 1<<10)]), "\n")
	r.kept = append(r.kept, text)
	for r.size += len(text); r.size > recentBytes; r.kept = r.kept[1:] {
		r.size -= len(r.kept[0])
	}
	return len(line), nil
}

// lines returns a copy of the lines; none of a nil recent.
func (r *recent) lines() []string {
	if r == nil {
		return []string{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.kept...)
}
