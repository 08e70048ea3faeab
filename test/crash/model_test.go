package crash

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"holdfast"
)

func hexed(text string) string {
	out := `"`
	for _, c := range []byte(text) {
		out += fmt.Sprintf(`\x%02x`, c)
	}
	return out + `"`
}

func TestParse(t *testing.T) {
	t.Parallel()
	trace := strings.Join([]string{
		`7  openat(AT_FDCWD, ` + hexed("/card/a") + `, O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 5`,
		`7  openat(AT_FDCWD, ` + hexed("/elsewhere") + `, O_RDONLY) = 6`,
		`7  openat(AT_FDCWD, ` + hexed("/said") + `, O_WRONLY) = 9`,
		`7  openat(AT_FDCWD, ` + hexed("/card/none") + `, O_RDONLY) = -1 ENOENT (No such file or directory)`,
		`7  pwrite64(5, ` + hexed("page") + `, 4, 4096 <unfinished ...>`,
		`8  write(9, ` + hexed("held") + `, 4 <unfinished ...>`,
		`7  <... pwrite64 resumed>) = 3`,
		`7  fdatasync(5 <unfinished ...>`,
		`8  <... write resumed>)              = 4`,
		`8  --- SIGURG {si_signo=SIGURG} ---`,
		`7  <... fdatasync resumed>) = 0`,
		`7  unlink(` + hexed("/card/none") + `) = -1 ENOENT (No such file or directory)`,
		`7  linkat(AT_FDCWD, ` + hexed("/card/a") + `, AT_FDCWD, ` + hexed("/card/b") + `, 0) = 0`,
		`7  ftruncate(5, 8192)                = 0`,
		`7  close(5)                          = 0`,
		`7  fsync(5 <unfinished ...>`,
		`8  ???( <detached ...>`,
		`7  +++ killed by SIGKILL +++`,
	}, "\n") + "\n"
	events, err := parse(strings.NewReader(trace), "/card", "/said")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		if e.Kind != nothing {
			got = append(got, fmt.Sprint(e.Kind, e.FD, e.Path, e.To, e.Off, string(e.Data), e.Create))
		}
	}
	want := []event{
		{Kind: started},
		{Kind: opened, FD: 5, Path: "/card/a", Create: true},
		{Kind: wrote, FD: 5, Off: 4096, Data: []byte("pag")},
		{Kind: said, FD: 9, Off: -1, Data: []byte("held")},
		{Kind: syncing, FD: 5, Off: -1},
		{Kind: synced, FD: 5},
		{Kind: linked, Path: "/card/a", To: "/card/b"},
		{Kind: truncated, FD: 5, Off: 8192},
		{Kind: closed, FD: 5, Off: -1},
		{Kind: syncing, FD: 5, Off: -1},
	}
	for i, e := range want {
		if line := fmt.Sprint(e.Kind, e.FD, e.Path, e.To, e.Off, string(e.Data), e.Create); i >= len(got) || got[i] != line {
			t.Fatalf("event %d of %q, want %q", i, got, line)
		}
	}
	for _, bad := range []string{
		`7 rename(` + hexed("/card/a") + `, ` + hexed("/card/b") + `) = 0`,
		`7 write(5, "\x41"..., 100) = 100`,
		`7 <... write resumed>) = 4`,
	} {
		if _, err := parse(strings.NewReader(bad+"\n"), "/card", "/said"); err == nil {
			t.Errorf("%s: taken for good", bad)
		}
	}
}

// scene is a folder with a synced buffer of three sectors and a note, and things on their way.
func scene(t *testing.T, lossy bool) *disk {
	t.Helper()
	old, fresh := bytes.Repeat([]byte("o"), 3*sector), bytes.Repeat([]byte("n"), 2*sector)
	d := newDisk("/card", lossy)
	for _, e := range []event{
		{Kind: started},
		{Kind: opened, FD: 3, Path: "/card"},
		{Kind: opened, FD: 4, Path: "/card/buffer.db", Create: true},
		{Kind: wrote, FD: 4, Data: old},
		{Kind: syncing, FD: 4}, {Kind: synced, FD: 4}, {Kind: syncing, FD: 3},
		{Kind: linked, Path: "/card/buffer.db", To: "/card/late"}, // behind the beginning of the folder's sync
		{Kind: synced, FD: 3},
		{Kind: wrote, FD: 4, Off: 2 * sector, Data: fresh},
		{Kind: unlinked, Path: "/card/buffer.db"},
	} {
		if err := d.happen(e); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func TestImage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lossy bool
		choice
		want string // names and, sector by sector, what the file has
	}{
		{false, choice{Kind: "none"}, "buffer.db ooo"},
		{false, choice{Kind: "all"}, "late oonn"},
		{false, choice{Kind: "only", Item: 0}, "buffer.db oonn"},
		{false, choice{Kind: "but", Item: 1}, "buffer.db late oonn"},
		{false, choice{Kind: "but", Item: 2}, ""},
		{false, choice{Kind: "only", Item: 2}, "buffer.db late ooo"},
		{false, choice{Kind: "sector", Item: 0, Bit: 1}, "late ooon"},
		{false, choice{Kind: "sectors", Item: 0, Bit: 1}, "late oon"},
		{true, choice{Kind: "none"}, "buffer.db "},
		{true, choice{Kind: "sectors", Item: 0, Bit: 0}, "late \x00onn"},
	} {
		d := scene(t, c.lossy)
		m := d.image(d.pending(), c.choice)
		got, content := "", ""
		for _, name := range []string{"buffer.db", "late"} {
			if n := m.names["/card/"+name]; n != nil {
				got += name + " "
				content = ""
				for data := m.content(n, nil); len(data) > 0; data = data[sector:] {
					content += string(data[:1])
				}
			}
		}
		if got+content != c.want {
			t.Errorf("lossy %v, %v: %q, want %q", c.lossy, c.choice, got+content, c.want)
		}
		if again, err := parseChoice(c.choice.String()); err != nil || again != c.choice {
			t.Errorf("%v is read as %v: %v", c.choice, again, err)
		}
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	f, stream, lane := newFacts(), holdfast.NewStream(), holdfast.LaneEvent
	hear := func(l line) {
		t.Helper()
		data, err := json.Marshal(l)
		if err == nil {
			err = f.hear(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	check := func(held, may uint64, owedToo, doneToo bool, values ...string) {
		t.Helper()
		l := f.streams[stream].lanes[lane]
		if l.held != held || l.may != may || l.can(1, owed) != owedToo || l.can(1, done) != doneToo {
			t.Errorf("%d to %d, owed %v, done %v", l.held, l.may, l.can(1, owed), l.can(1, done))
		}
		for _, value := range []string{"a", "b", "c"} {
			if allowed := f.value("key", []byte(value)) == nil; allowed != strings.Contains(strings.Join(values, ""), value) {
				t.Errorf("value %q: allowed %v, want %v", value, allowed, values)
			}
		}
	}
	one := holdfast.Range{First: 1, Last: 1}
	hear(line{Kind: willOpen})
	hear(line{Kind: isOpen, Stream: stream, Pad: 10})
	hear(line{Kind: will, Heads: heads{lane: 2}, State: map[string][]byte{"key": []byte("a")}})
	hear(line{Kind: isHeld, Stream: stream, Heads: heads{lane: 2}, All: true})
	check(2, 2, true, false, "a")
	hear(line{Kind: will, Heads: heads{lane: 3}, State: map[string][]byte{"key": []byte("b")}})
	hear(line{Kind: willDone, Stream: stream, Lane: lane, Range: one})
	check(2, 3, true, true, "a", "b")
	hear(line{Kind: isHeld, Stream: stream, Heads: heads{lane: 3}, All: true})
	check(3, 3, false, true, "b")
	hear(line{Kind: will, Heads: heads{lane: 4}, State: map[string][]byte{"key": []byte("c")}})
	hear(line{Kind: tookBack, Stream: stream, Heads: heads{lane: 3}, State: map[string][]byte{"key": []byte("c")}})
	check(3, 4, false, true, "b")
	hear(line{Kind: willAgain, Stream: stream, Lane: lane, Range: one})
	check(3, 4, true, true, "b")
	hear(line{Kind: willOpen}) // it was killed: the file tells what came to be
	hear(line{Kind: isOpen, Stream: holdfast.NewStream(), Pad: 10, State: map[string][]byte{"key": []byte("b")}})
	check(3, 4, false, true, "b")
}
