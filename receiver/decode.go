package receiver

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/store"
	"holdfast/wire"
)

// Codes of dead letters and rejections.
const (
	codeMalformed     = "malformed"      // no JSON, no zstd frame, or too large
	codeInvalidBatch  = "invalid_batch"  // JSON, but no statement about a range
	codeInvalidRecord = "invalid_record" // one record of a batch
	codeForeignTopic  = "foreign_topic"  // device or lane are not those of the topic
	codeForeignStream = "foreign_stream" // the stream belongs to another device
	codeInvalidState  = "invalid_state"
	codeInvalidList   = "invalid_catalog"
	codeInvalidAnswer = "invalid_response"
	codeConflict      = "conflict" // the database refuses the rows themselves
)

// A delivery is one message and what could be read of it. Exactly one of batch, status, catalog, result and letter is set.
type delivery struct {
	mqtt.Message
	arrived time.Time
	device  string // of the topic
	leaf    string

	batch   *holdfast.Batch
	records []holdfast.Record // of batch, nil where the record is not valid
	faults  []error           // of batch, nil where the record is valid
	status  *holdfast.Status
	catalog *holdfast.Catalog
	result  *holdfast.Result
	letter  *store.Letter // why it is not accepted, with the range as far as it could be read
}

// read decodes a message. It is pure.
func read(topics holdfast.Topics, m mqtt.Message, arrived time.Time) *delivery {
	d := &delivery{Message: m, arrived: arrived}
	var ok bool
	if d.device, d.leaf, ok = topics.Split(m.Topic); !ok {
		d.device = ""
		return d.refused(codeForeignTopic, errors.New("the topic names no device"))
	}
	var err error
	switch d.leaf {
	case holdfast.TopicState:
		if d.status, err = wire.DecodeStatus(m.Payload); err != nil {
			return d.refused(codeInvalidState, err)
		}
	case holdfast.TopicCatalog:
		if d.catalog, err = wire.DecodeCatalog(m.Payload); err != nil {
			return d.refused(codeInvalidList, err)
		}
	case holdfast.TopicResponse:
		if d.result, err = wire.DecodeResult(m.Payload); err != nil {
			return d.refused(codeInvalidAnswer, err)
		}
	default:
		return d.readBatch()
	}
	return d
}

// refused returns the dead letter that d becomes, with the numbers of its batch, as far as they are known.
func (d *delivery) refused(code string, err error) *delivery {
	letter := &store.Letter{Device: d.device, Topic: d.Topic, Code: code, Text: err.Error(), Payload: d.Payload}
	if b := d.batch; b != nil {
		letter.Stream, letter.Lane, letter.First, letter.Through = b.Stream, b.Lane, b.First, b.Last
	}
	return &delivery{Message: d.Message, arrived: d.arrived, device: d.device, leaf: d.leaf, letter: letter}
}

func (d *delivery) readBatch() *delivery {
	b, err := wire.DecodeBatch(d.Payload)
	if err != nil {
		code := codeMalformed
		if head := salvage(d.Payload); head != nil {
			if head.Device != d.device || string(head.Lane) != d.leaf {
				return d.refused(codeForeignTopic, err)
			}
			d.batch, code = head, codeInvalidBatch
		}
		return d.refused(code, err)
	}
	d.batch = b
	if b.Device != d.device || string(b.Lane) != d.leaf {
		return d.refused(codeForeignTopic, errors.New("a batch of device "+b.Device+", lane "+string(b.Lane)))
	}
	d.records = make([]holdfast.Record, len(b.Records))
	d.faults = make([]error, len(b.Records))
	for i, raw := range b.Records {
		d.records[i], d.faults[i] = readRecord(b, raw)
	}
	return d
}

var (
	errSummary = errors.New("invalid kind: a summary stands in thinned ranges only")
	errRaw     = errors.New("invalid kind: a thinned range holds summaries and aggregates only")
	errBoot    = errors.New("invalid data: it is not that of a boot event")
	errAnchor  = errors.New("invalid data: it is not that of an anchor event")
)

// readRecord decodes a record and checks what the record alone does not know: whether it may stand in this batch, and
// whether the data that the receiver itself lives by is there.
func readRecord(b *holdfast.Batch, raw []byte) (holdfast.Record, error) {
	record, err := holdfast.DecodeRecord(b.Lane, raw)
	if err != nil {
		return nil, err
	}
	switch r := record.(type) {
	case *holdfast.Thinned:
		if b.What != holdfast.Thin {
			return nil, errSummary
		}
	case *holdfast.Reading:
		if b.What == holdfast.Thin {
			return nil, errRaw
		}
	case *holdfast.Event:
		if r.Event == holdfast.EventBoot && readBoot(r) == nil {
			return nil, errBoot
		}
		if r.Event == holdfast.EventAnchor && readAnchor(r) == nil {
			return nil, errAnchor
		}
	}
	return record, nil
}

// readBoot returns the data of a boot event, or nil where it is none.
func readBoot(e *holdfast.Event) *holdfast.Boot {
	var boot holdfast.Boot
	if json.Unmarshal(e.Data, &boot) != nil {
		return nil
	}
	if p := boot.Previous; p != nil {
		if p.Stream.IsZero() {
			return nil
		}
		for lane, seq := range p.Lanes {
			if lane.Validate() != nil || seq > holdfast.MaxInteger {
				return nil
			}
		}
	}
	return &boot
}

// readAnchor returns the data of an anchor event, or nil where it is none.
func readAnchor(e *holdfast.Event) *holdfast.Anchor {
	var a holdfast.Anchor
	if json.Unmarshal(e.Data, &a) != nil || a.Boot == "" || len(a.Boot) > 64 || a.Mono < 0 || a.Mono > holdfast.MaxInteger || a.UncertaintyUS < 0 {
		return nil
	}
	return &a
}

// salvage reads what stands before the fault in a batch that is none, and returns it where that says which numbers
// of which lane it is about. Writers put the records last. A range that no batch with records can have is not believed.
func salvage(payload []byte) *holdfast.Batch {
	if plain, err := wire.Decompress(payload, wire.MaxBytes); err == nil {
		payload = plain
	}
	head, err := json.Marshal(fieldsBefore(payload, "records"))
	if err != nil {
		return nil
	}
	b := new(holdfast.Batch)
	if json.Unmarshal(head, b) != nil || b.V != holdfast.Version || b.Stream.IsZero() || b.Lane.Validate() != nil || b.Range().Validate() != nil {
		return nil
	}
	if b.What != holdfast.Dropped && b.What != holdfast.Rejected && b.Range().Len() > holdfast.MaxBatchRecords {
		return nil
	}
	return b
}

// fieldsBefore returns the fields of a JSON object up to the named one, or up to the first fault.
func fieldsBefore(object []byte, end string) map[string]json.RawMessage {
	fields := make(map[string]json.RawMessage)
	in := json.NewDecoder(bytes.NewReader(object))
	if open, err := in.Token(); err != nil || open != json.Delim('{') {
		return fields
	}
	for in.More() {
		key, err := in.Token()
		name, ok := key.(string)
		if err != nil || !ok || name == end {
			break
		}
		var value json.RawMessage
		if in.Decode(&value) != nil {
			break
		}
		fields[name] = value
	}
	return fields
}
