package buffer

import "pgregory.net/rapid"

// Fail has the card refuse a commit. What waited still waits, in its order; what the buffer let go to make room is gone, and
// stated.
func (m *model) Fail(t *rapid.T) {
	m.Append(t)
	accept := refuse(t, m.path)
	err := m.buffer.commit(false)
	accept()
	if err == nil {
		t.Fatal("a card that refuses took a commit")
	}
	*m.failures++
	m.trimmed()
}
