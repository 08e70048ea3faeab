package virtualpi

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"time"
)

// A monitor speaks QMP, with which the host sets what the emulated chips measure. One call at a time.
type monitor struct {
	conn net.Conn
	dec  *json.Decoder
}

// newMonitor takes QEMU's greeting and opens the command mode.
func newMonitor(ctx context.Context, conn net.Conn) (*monitor, error) {
	m := &monitor{conn, json.NewDecoder(conn)}
	var greeting struct{ QMP json.RawMessage }
	defer deadline(ctx, conn)()
	if err := m.dec.Decode(&greeting); err != nil {
		return nil, fmt.Errorf("qmp greeting: %w", err)
	}
	return m, m.do(ctx, "qmp_capabilities", nil)
}

// do executes a command and waits for its end; events in between are skipped.
func (m *monitor) do(ctx context.Context, command string, arguments any) error {
	defer deadline(ctx, m.conn)()
	request := struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
	}{command, arguments}
	if err := json.NewEncoder(m.conn).Encode(request); err != nil {
		return fmt.Errorf("qmp %s: %w", command, err)
	}
	for {
		var answer struct {
			Return json.RawMessage
			Error  *struct{ Desc string }
		}
		if err := m.dec.Decode(&answer); err != nil {
			return fmt.Errorf("qmp %s: %w", command, err)
		}
		if answer.Error != nil {
			return fmt.Errorf("qmp %s: %s", command, answer.Error.Desc)
		}
		if answer.Return != nil {
			return nil
		}
	}
}

// A tester speaks qtest, with which the host drives lines of the board from outside. One call at a time.
type tester struct {
	conn net.Conn
	in   *bufio.Reader
}

func newTester(conn net.Conn) *tester { return &tester{conn, bufio.NewReader(conn)} }

// do sends one command and waits for its OK.
func (t *tester) do(ctx context.Context, command string) error {
	defer deadline(ctx, t.conn)()
	if _, err := fmt.Fprintln(t.conn, command); err != nil {
		return fmt.Errorf("qtest %s: %w", command, err)
	}
	answer, err := t.in.ReadString('\n')
	if err != nil {
		return fmt.Errorf("qtest %s: %w", command, err)
	}
	if !strings.HasPrefix(answer, "OK") {
		return fmt.Errorf("qtest %s: %s", command, strings.TrimSpace(answer))
	}
	return nil
}

// deadline ends reads and writes of conn when ctx ends, until the function that it returns is called.
func deadline(ctx context.Context, conn net.Conn) (stop func() bool) {
	conn.SetDeadline(time.Time{})
	return context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
}
