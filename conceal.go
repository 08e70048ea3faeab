package holdfast

import (
	"encoding/json"
	"regexp"
)

// webAddress is one in a text: scheme and host, and what stands behind them, which may open a door. Package rules takes no URL
// that it would not find as a whole.
var webAddress = regexp.MustCompile(`(?i)(https?://[^/?\s"'{},]*)[/?][^\s"'{},\]]*`)

// ConcealURLs returns a text without what stands behind the hosts of its URLs.
func ConcealURLs(text string) string { return webAddress.ReplaceAllString(text, "$1/"+concealed) }

// concealRules returns the value of the setting rules without the secrets of its webhooks.
func concealRules(value json.RawMessage) json.RawMessage {
	var set RuleSet
	if IsNull(value) || json.Unmarshal(value, &set) != nil {
		return json.RawMessage("null")
	}
	shown := ConcealURLs(set.YAML)
	if shown == set.YAML {
		return value
	}
	set.YAML = shown
	value, err := json.Marshal(set)
	if err != nil {
		return json.RawMessage("null")
	}
	return value
}
