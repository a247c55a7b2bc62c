// What a search shows first: rows of endpoints, channels and error codes that contain the very words, then the reference.
const squashed = (text) => text.toLowerCase().replace(/[^a-z0-9]/g, "");

var Scorer = {
  score: ([docname, title, , description, score, , kind]) => {
    const query = squashed(new URLSearchParams(location.search).get("q") || "");
    if (kind === "object" && /^(endpoint|channel|error code),/.test(description || "") && squashed(title).includes(query))
      return score + 30;
    return score + (/^(endpoints$|reference\/)/.test(docname) ? 3 : 0);
  },

  // As in the theme.
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
