package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"holdfast"
	"holdfast/control"
)

// A page is the result of send_measurements: records that the device still has, with their numbers.
type page struct {
	Records int       `json:"records"`
	Runs    []stretch `json:"runs"`
	Next    string    `json:"next,omitempty"` // the argument page of the next page; empty where there is none
}

// A stretch is records of one stream that follow each other: record i has the number First+i.
type stretch struct {
	Stream  holdfast.Stream   `json:"stream"`
	Lane    holdfast.Lane     `json:"lane"`
	First   uint64            `json:"first"`
	Records []json.RawMessage `json:"records"`
}

// What a page takes beside its records: of itself, and for each run.
const (
	pageOverhead = 512
	runOverhead  = 128
)

// measurements collects one page. Nothing is moved: what waits for the link waits on.
func (g *gateway) measurements(ctx context.Context, s control.Selection) (any, error) {
	after, left, err := g.beginPage(s)
	if err != nil {
		return nil, &holdfast.Fault{Code: holdfast.CodeInvalidArgument, Message: err.Error()}
	}
	p, size := page{Runs: []stretch{}}, pageOverhead
	err = g.buffer.Browse(s.Lane, after, s.From, s.To, func(stream holdfast.Stream, seq uint64, record []byte) bool {
		if ctx.Err() != nil || s.Last > 0 && (stream != s.Stream || seq > s.Last) || s.Count > 0 && left == 0 {
			return false
		}
		data, err := json.Marshal(json.RawMessage(record)) // as it will be in the result
		if err != nil {
			return true
		}
		if size+len(data)+1+runOverhead > holdfast.MaxResultBytes || p.Records == holdfast.MaxPageRecords {
			p.Next = pageToken(after, left)
			return false
		}
		if p.add(stream, s.Lane, seq, data) {
			size += runOverhead
		}
		size += len(data) + 1
		after = holdfast.Position{Stream: stream, Seq: seq}
		left--
		return true
	})
	if err != nil {
		return nil, err
	}
	return p, ctx.Err()
}

// add puts a record behind the others, and reports whether a run begins with it.
func (p *page) add(stream holdfast.Stream, lane holdfast.Lane, seq uint64, record json.RawMessage) bool {
	p.Records++
	if n := len(p.Runs); n > 0 {
		last := &p.Runs[n-1]
		if last.Stream == stream && last.First+uint64(len(last.Records)) == seq {
			last.Records = append(last.Records, record)
			return false
		}
	}
	p.Runs = append(p.Runs, stretch{stream, lane, seq, []json.RawMessage{record}})
	return true
}

// beginPage returns the position behind which the page begins and, of a selection by count, how many records it has left.
func (g *gateway) beginPage(s control.Selection) (after holdfast.Position, left int, err error) {
	switch {
	case s.Page != "":
		return parsePage(s.Page)
	case s.Last > 0:
		return holdfast.Position{Stream: s.Stream, Seq: s.First - 1}, 0, nil
	case s.Count > 0:
		after, err = g.buffer.Newest(s.Lane, uint64(s.Count))
		return after, s.Count, err
	}
	return after, 0, nil
}

// pageToken says where the next page begins. It holds no secret, and a wrong one only begins elsewhere.
func pageToken(after holdfast.Position, left int) string {
	return fmt.Sprintf("%s.%d.%d", after.Stream, after.Seq, max(left, 0))
}

func parsePage(token string) (after holdfast.Position, left int, err error) {
	parts := strings.Split(token, ".")
	if len(parts) == 3 {
		after.Stream, err = holdfast.ParseStream(parts[0])
		if err == nil {
			after.Seq, err = strconv.ParseUint(parts[1], 10, 53)
		}
		if err == nil {
			left, err = strconv.Atoi(parts[2])
		}
	}
	if len(parts) != 3 || err != nil || left < 0 {
		return after, 0, fmt.Errorf("page: %.100q: want what next of the page before says", token)
	}
	return after, left, nil
}
