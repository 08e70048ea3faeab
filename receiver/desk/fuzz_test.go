package desk

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/store"
)

// Whatever arrives on the topics of a registered device, the desk takes it without an error, and what waits stays within bounds.
func FuzzPut(f *testing.F) {
	for leaf, payloads := range map[string][]string{
		holdfast.TopicCommand:  {`{"v":1,"id":"a","name":"ping"}`, `{"v":1,"id":"a","name":"ping","expires":"9999-12-31T23:59:59Z"}`, ``},
		holdfast.TopicResponse: {`{"v":1,"id":"a","name":"ping","state":"succeeded","result":{}}`, `{"v":1,"id":"a","state":"refused","error":{"code":"rate_limited"}}`},
		holdfast.TopicState:    {`{"v":1,"online":true,` + stream + `}`, `{"v":1,"online":false,` + stream + `}`},
		document:               {`{"state":{"desired":{"measuring":true}},"version":17}`, `null`, `[]`},
		update:                 {`{"state":{"desired":{"measuring":null}}}`, `{"state":{"desired":{"groups":["a"]}},"version":1}`},
		update + accepted:      {`{"state":{"desired":{"measuring":true}}}`, `{"state":null}`},
		update + rejected:      {`{"code":409,"message":"x"}`, `{"code":429}`},
		remove:                 {``, `{}`},
	} {
		for _, payload := range payloads {
			f.Add(leaf, []byte(payload), false)
		}
	}
	s, err := store.Open(f.Context(), store.Options{Path: filepath.Join(f.TempDir(), "receiver.db")})
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, leaf string, payload []byte, retained bool) {
		d := New(Options{Store: s})
		undo := errors.New("undo")
		err := s.Write(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.Seen("pi-7", store.StatusActive, true, now); err != nil {
				return err
			}
			waiting := store.Shadow{Device: "pi-7", Desired: json.RawMessage(`{"measuring":true}`)}
			if err := tx.PutShadow(waiting); err != nil {
				return err
			}
			for range 2 {
				if err := d.put(tx, read(d.Topics, mqtt.Message{Topic: "devices/pi-7/" + leaf, Payload: payload, Retained: retained}, now)); err != nil {
					return err
				}
			}
			shadow, err := tx.Shadow("pi-7")
			if err != nil {
				return err
			}
			if !json.Valid(shadow.Desired) || len(shadow.Desired) > maxWishes || len(shadow.Document) > maxDocument {
				t.Errorf("%d bytes wait: %.100s", len(shadow.Desired), shadow.Desired)
			}
			if _, err := sendWishes(tx, "pi-7", now); err != nil {
				return err
			}
			return undo
		})
		if !errors.Is(err, undo) {
			t.Errorf("%s %q: %v", leaf, payload, err)
		}
	})
}
