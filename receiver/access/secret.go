package access

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"holdfast"
)

var errReserved = errors.New(`names that begin with "receiver" are for receivers`)

// Sizes of a hash as mosquitto writes it: $7$iterations$salt$key, both in base64.
const (
	hashKind      = "7" // PBKDF2 with HMAC-SHA512
	iterations    = 101 // mosquitto's own
	maxIterations = 1_000_000
	saltBytes     = 12
	keyBytes      = sha512.Size
)

// NewSecret mints a secret of 260 random bits, as letters and digits.
func NewSecret() holdfast.Secret {
	return holdfast.Secret(rand.Text() + rand.Text()) // 130 bits each
}

// Hash returns what is kept of a secret.
func Hash(secret holdfast.Secret) string {
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	key, err := derive(string(secret), salt, iterations)
	if err != nil {
		panic(fmt.Sprintf("access: hash: %v", err)) // only of sizes that are no sizes
	}
	return strings.Join([]string{"", hashKind, strconv.Itoa(iterations), base64.StdEncoding.EncodeToString(salt), base64.StdEncoding.EncodeToString(key)}, "$")
}

// Matches reports whether hash is one of secret. It is false for what is no hash.
func Matches(hash, secret string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 5 || parts[0] != "" || parts[1] != hashKind {
		return false
	}
	n, err := strconv.Atoi(parts[2])
	if err != nil || n < 1 || n > maxIterations {
		return false
	}
	salt, err := base64.StdEncoding.DecodeString(parts[3])
	if err != nil || len(salt) == 0 {
		return false
	}
	want, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(want) != keyBytes {
		return false
	}
	got, err := derive(secret, salt, n)
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1
}

func derive(secret string, salt []byte, n int) ([]byte, error) {
	return pbkdf2.Key(sha512.New, secret, salt, n, keyBytes)
}
