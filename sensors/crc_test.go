package sensors

import "testing"

// The examples of the datasheets: SHT3x §4.12, HTU21D p. 14.
func TestCRC8(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		begin byte
		data  []byte
		want  byte
	}{
		{0xff, []byte{0xbe, 0xef}, 0x92},
		{0, []byte{0xdc}, 0x79},
		{0, []byte{0x68, 0x3a}, 0x7c},
		{0, []byte{0x4e, 0x85}, 0x6b},
	} {
		if got := crc8(test.begin, test.data); got != test.want {
			t.Errorf("%x: 0x%02x, want 0x%02x", test.data, got, test.want)
		}
	}
	if got, err := words([]byte{0xbe, 0xef, 0x92, 0xbe, 0xef, 0x92}); err != nil || len(got) != 2 || got[1] != 0xbeef {
		t.Errorf("%x, %v", got, err)
	}
	if got, err := words([]byte{0xbe, 0xef, 0x92, 0xbe, 0xee, 0x92}); err == nil {
		t.Errorf("a wrong checksum is taken: %x", got)
	}
}
