package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A bench is the simulated Pi behind the gateway's page: its chips and its button.
type bench struct {
	address string // host:port
	client  http.Client
	out     io.Writer
}

// A chip of the bench, as the gateway's API has it.
type chip struct {
	Name, About, Behind, Fault string
	Address                    int
	Plugged                    bool
}

const keys = `  Keys, each followed by Enter, and where there are several chips by the name of one:
    p  plug in        u  unplug        h  hang the bus      c  corrupt (break its wire)      m  mend
    l  list chips     b  press the button (b long, b double)                               ?  this help
`

var deeds = map[string]string{"p": "plug", "u": "unplug", "h": "hang", "c": "corrupt", "m": "mend"}

// listen carries out what is typed, a line each, until the input ends.
func (b *bench) listen(ctx context.Context, in io.Reader) {
	lines := bufio.NewScanner(in)
	for lines.Scan() && ctx.Err() == nil {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		if err := b.obey(ctx, words[0], strings.Join(words[1:], " ")); err != nil {
			fmt.Fprintln(b.out, " ", err)
		}
	}
}

func (b *bench) obey(ctx context.Context, key, name string) error {
	for short, deed := range deeds {
		if key == short || key == deed {
			return b.do(ctx, deed, name)
		}
	}
	switch key {
	case "l", "list":
		chips, err := b.ask(ctx, http.MethodGet, nil)
		b.list(chips)
		return err
	case "b", "button":
		press := cmp.Or(name, "short")
		if _, err := b.send(ctx, http.MethodPost, "button", map[string]string{"press": press}); err != nil {
			return err
		}
		fmt.Fprintf(b.out, "  pressed: %s\n", press)
		return nil
	}
	fmt.Fprint(b.out, keys)
	return nil
}

// do does something to the chip of that name. Without a name it takes the first in the drawer to plug it in, for the rest the
// last that is plugged in, or that has a fault to mend.
func (b *bench) do(ctx context.Context, deed, name string) error {
	if name == "" {
		chips, err := b.ask(ctx, http.MethodGet, nil)
		if err != nil {
			return err
		}
		if name = choose(chips, deed); name == "" {
			return fmt.Errorf("there is no chip to %s", deed)
		}
	}
	if _, err := b.ask(ctx, http.MethodPost, map[string]string{"chip": name, "do": deed}); err != nil {
		return err
	}
	fmt.Fprintf(b.out, "  %s: %s\n", deed, name)
	return nil
}

func choose(chips []chip, deed string) (name string) {
	for _, c := range chips {
		switch {
		case deed == "plug" && !c.Plugged:
			return c.Name
		case deed == "mend" && c.Fault != "", deed != "plug" && deed != "mend" && c.Plugged:
			name = c.Name
		}
	}
	return name
}

func (b *bench) list(chips []chip) {
	for _, c := range chips {
		where := "in the drawer"
		if c.Plugged {
			where = strings.TrimSpace("plugged in " + c.Fault)
		}
		fmt.Fprintf(b.out, "  0x%02x  %-11s %-22s %s %s\n", c.Address, c.Name, where, c.About, c.Behind)
	}
}

// ask asks for the chips, or what to do with one.
func (b *bench) ask(ctx context.Context, method string, body any) ([]chip, error) {
	text, err := b.send(ctx, method, "simulated", body)
	if err != nil {
		return nil, err
	}
	var answer struct{ Chips []chip }
	return answer.Chips, json.Unmarshal(text, &answer)
}

// send asks the gateway. The error is what it says is wrong.
func (b *bench) send(ctx context.Context, method, path string, body any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+b.address+"/api/v1/"+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	answer, err := b.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the gateway does not answer: %w", err)
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil || answer.StatusCode < 300 {
		return text, err
	}
	var problem struct{ Detail string }
	if json.Unmarshal(text, &problem) != nil || problem.Detail == "" {
		return nil, errors.New(answer.Status)
	}
	return nil, errors.New(problem.Detail)
}
