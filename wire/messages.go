package wire

import "holdfast"

// Limits of the messages beside batches, in bytes of JSON.
const (
	MaxReceiptBytes  = 256 << 10
	MaxStatusBytes   = 256 << 10
	MaxPresenceBytes = 16 << 10
	MaxCatalogBytes  = 1 << 20
	MaxResultBytes   = 1 << 20
)

// EncodeReceipt returns the payload of r.
func EncodeReceipt(r *holdfast.Receipt) ([]byte, error) { return Encode(r) }

// DecodeReceipt reads a receipt. Its ranges and its wants come back in normal form, ready for the methods of
// [holdfast.Ranges], in whatever order they were sent.
func DecodeReceipt(data []byte) (*holdfast.Receipt, error) {
	r, err := decode[holdfast.Receipt](data, MaxReceiptBytes)
	if err != nil {
		return nil, err
	}
	r.Ranges, r.Want = r.Ranges.Normal(), r.Want.Normal()
	return r, nil
}

// DecodeStatus reads a gateway's state: birth, heartbeat or last will.
func DecodeStatus(data []byte) (*holdfast.Status, error) {
	return decode[holdfast.Status](data, MaxStatusBytes)
}

// DecodePresence reads a receiver's state.
func DecodePresence(data []byte) (*holdfast.Presence, error) {
	return decode[holdfast.Presence](data, MaxPresenceBytes)
}

// DecodeCatalog reads a gateway's catalog.
func DecodeCatalog(data []byte) (*holdfast.Catalog, error) {
	return decode[holdfast.Catalog](data, MaxCatalogBytes)
}

// DecodeCommand reads a command.
func DecodeCommand(data []byte) (*holdfast.Command, error) {
	return decode[holdfast.Command](data, holdfast.MaxCommandBytes)
}

// DecodeResult reads a gateway's answer to a command.
func DecodeResult(data []byte) (*holdfast.Result, error) {
	return decode[holdfast.Result](data, MaxResultBytes)
}
