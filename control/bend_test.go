package control

import (
	"math/rand/v2"
	"slices"
)

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }

// morsels are what bend puts into a text.
var morsels = []string{`null`, `-1`, `1e999`, `{}`, `[]`, `""`, `true`, "\x00", `\ud800`, `"args":`, `"v":2`, `,`, `}`, `reboot`, `9007199254740993`, "\xff"}

// bend changes a text in one place: a byte, a cut, a doubling, a morsel.
func bend(random *rand.Rand, text []byte) []byte {
	if len(text) == 0 {
		return []byte(morsels[random.IntN(len(morsels))])
	}
	text = slices.Clone(text)
	i := random.IntN(len(text))
	j := min(len(text), i+random.IntN(12))
	switch random.IntN(5) {
	case 0:
		text[i] = byte(random.IntN(256))
		return text
	case 1:
		return slices.Delete(text, i, j)
	case 2:
		return slices.Insert(text, i, text[i:j]...)
	case 3:
		return slices.Replace(text, i, j, []byte(morsels[random.IntN(len(morsels))])...)
	}
	return slices.Insert(text, i, []byte(morsels[random.IntN(len(morsels))])...)
}
