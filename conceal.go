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

// RevealURLs is the way back for a text that was shown and then edited: what stands behind a host is taken from the text that it
// was made of, where that has just one URL of the host. Any other stays hidden, so that nothing goes where it did not go before.
func RevealURLs(shown, from string) string {
	urls := make(map[string]string) // by host; empty where there are several
	for _, m := range webAddress.FindAllStringSubmatch(from, -1) {
		if known, ok := urls[m[1]]; ok && known != m[0] {
			m[0] = ""
		}
		urls[m[1]] = m[0]
	}
	return webAddress.ReplaceAllStringFunc(shown, func(url string) string {
		host := webAddress.FindStringSubmatch(url)[1]
		if url == host+"/"+concealed && urls[host] != "" {
			return urls[host]
		}
		return url
	})
}

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
