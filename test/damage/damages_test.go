package damage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
)

const (
	page   = 4096 // of the file
	sector = 512
)

// A damage is one way in which a file is not what was written.
type damage struct {
	name string
	do   func(rng *rand.Rand, o *original) []byte // returns a new slice
	lies bool                                     // the clean mark vouches for the file
}

func damages() []damage {
	list := []damage{
		{name: "one bit flipped", do: func(rng *rand.Rand, o *original) []byte { return flip(rng, o, 1, anywhere(o)) }},
		{name: "2 to 64 bits flipped", do: func(rng *rand.Rand, o *original) []byte { return flip(rng, o, 2+rng.IntN(63), anywhere(o)) }},
		{name: "bits flipped in a meta page", do: func(rng *rand.Rand, o *original) []byte { return flip(rng, o, 1+rng.IntN(4), metas) }},
		{name: "bits flipped in a branch page", do: func(rng *rand.Rand, o *original) []byte {
			return flip(rng, o, 1+rng.IntN(4), within(o, branchFlag, page))
		}},
		{name: "bits flipped in the head of a page", do: func(rng *rand.Rand, o *original) []byte {
			return flip(rng, o, 1+rng.IntN(4), within(o, branchFlag|leafFlag, 64))
		}},
		{name: "512 B sectors of zeros or garbage", do: func(rng *rand.Rand, o *original) []byte { return spoil(rng, o, sector) }},
		{name: "4 KiB pages of zeros or garbage", do: func(rng *rand.Rand, o *original) []byte { return spoil(rng, o, page) }},
		{name: "two pages swapped", do: swap},
		{name: "a page written to another's place", do: misdirect},
		{name: "pages in an older version (lost writes)", do: loseWrites},
		{name: "file cut at any length", do: truncate},
		{name: "garbage behind the end", do: func(rng *rand.Rand, o *original) []byte {
			return append(bytes.Clone(o.data), garbage(rng, 1+rng.IntN(16*page))...)
		}},
		{name: "nothing of the file left", do: func(rng *rand.Rand, o *original) []byte {
			return []([]byte){make([]byte, len(o.data)), garbage(rng, len(o.data)), []byte("no database\n")}[rng.IntN(3)]
		}},
	}
	// Under a clean mark that lies a file is opened without a look at it. The mark knows size and time, so that damage which
	// changes the size is found.
	for _, d := range list {
		switch d.name {
		case "one bit flipped", "bits flipped in a meta page", "bits flipped in a branch page", "bits flipped in the head of a page", "4 KiB pages of zeros or garbage", "pages in an older version (lost writes)":
			list = append(list, damage{name: "clean mark lies: " + d.name, do: d.do, lies: true})
		}
	}
	return list
}

// A place picks the byte that is hit.
type place func(rng *rand.Rand) int

func anywhere(o *original) place { return func(rng *rand.Rand) int { return rng.IntN(len(o.data)) } }

// metas picks a byte that bbolt's two meta pages use.
func metas(rng *rand.Rand) int { return rng.IntN(2)*page + rng.IntN(80) }

// The kinds of bbolt's pages, as the ninth byte of a page says.
const (
	branchFlag = 1
	leafFlag   = 2
)

// within picks one of the first n bytes of a page of a kind.
func within(o *original, flags uint16, n int) place {
	var pages []int
	for at := 0; at+page <= len(o.data); at += page {
		id, flag := binary.LittleEndian.Uint64(o.data[at:]), binary.LittleEndian.Uint16(o.data[at+8:])
		if id == uint64(at/page) && flag&flags != 0 && flag < 4 {
			pages = append(pages, at)
		}
	}
	return func(rng *rand.Rand) int { return pages[rng.IntN(len(pages))] + rng.IntN(n) }
}

func flip(rng *rand.Rand, o *original, bits int, where place) []byte {
	data := bytes.Clone(o.data)
	for range bits {
		data[where(rng)] ^= 1 << rng.IntN(8)
	}
	return data
}

func garbage(rng *rand.Rand, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(rng.Uint32())
	}
	return out
}

// spoil replaces one to four stretches of that size.
func spoil(rng *rand.Rand, o *original, size int) []byte {
	data := bytes.Clone(o.data)
	for range 1 + rng.IntN(4) {
		at := rng.IntN(len(data)/size) * size
		if rng.IntN(2) == 0 {
			clear(data[at : at+size])
		} else {
			copy(data[at:], garbage(rng, size))
		}
	}
	return data
}

func pageOf(data []byte, rng *rand.Rand) []byte {
	at := rng.IntN(len(data)/page) * page
	return data[at : at+page]
}

func swap(rng *rand.Rand, o *original) []byte {
	data := bytes.Clone(o.data)
	a, b := pageOf(data, rng), pageOf(data, rng)
	kept := bytes.Clone(a)
	copy(a, b)
	copy(b, kept)
	return data
}

func misdirect(rng *rand.Rand, o *original) []byte {
	data := bytes.Clone(o.data)
	copy(pageOf(data, rng), pageOf(data, rng))
	return data
}

// loseWrites gives some of the pages that the last commits wrote back what they held before.
func loseWrites(rng *rand.Rand, o *original) []byte {
	data, older := bytes.Clone(o.data), o.older[rng.IntN(len(o.older))]
	var written []int
	for at := 0; at+page <= min(len(data), len(older)); at += page {
		if !bytes.Equal(data[at:at+page], older[at:at+page]) {
			written = append(written, at)
		}
	}
	if len(written) == 0 {
		return data
	}
	rng.Shuffle(len(written), func(i, j int) { written[i], written[j] = written[j], written[i] })
	for _, at := range written[:1+rng.IntN(min(len(written), 4))] {
		copy(data[at:at+page], older[at:])
	}
	return data
}

// truncate cuts anywhere, and often where files of a dying card end: at nothing, within the first pages, between pages.
func truncate(rng *rand.Rand, o *original) []byte {
	n := rng.IntN(len(o.data))
	switch rng.IntN(4) {
	case 0:
		n = n / page * page
	case 1:
		n = rng.IntN(3 * page)
	case 2:
		n = []int{0, 1, page - 1, page, 2 * page}[rng.IntN(5)]
	}
	return bytes.Clone(o.data[:n])
}

// put makes the copy in a folder of its own, as a gateway finds its data, and returns the path.
func (d *damage) put(dir string, o *original, data []byte) (string, error) {
	path := filepath.Join(dir, "buffer.db")
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil || !d.lies {
		return path, err
	}
	return path, errors.Join(os.Chtimes(path, o.at, o.at), os.WriteFile(path+".clean", o.mark, 0o600))
}
