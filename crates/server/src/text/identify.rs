//! Being identified, in the portal.

super::texts! {
    /// Being identified, in the portal.
    Identify {
        menu: "Identification",
        title: "Be identified",
        lead: "Everybody can have an account without showing anything, with low limits. Whoever is identified may have more come in and go \
               out. It is your choice, and it changes nothing about e-cash: what you do with it stays unknown to us.",
        level: "Today",
        needs_title: "What is needed",
        needs_document: "A passport, an identity card or a residence permit that is valid, shown at the desk in person.",
        needs_kept: "We keep which kind it was until it is decided, and its number as a code that cannot be read back: it tells whether the \
                     same person has another account. No copy, no picture.",
        needs_one: "Each person may have one account.",
        needs_more: "For the highest limits, compliance also asks where your money comes from.",
        ask: "Ask to be identified",
        done: "We expect you at the desk.",
        asked: "You have asked. Come to the desk with your document; any teller can look at it.",
        asked_site: "You have asked. Go on with whoever looks at documents for us:",
        site: "Go on there",
        seen: "Your document was seen. Compliance decides within a few days; the level on your account's page tells you how.",
        refused: "You could not be identified. A teller can say what is missing, and you may ask again.",
        most: "You are identified as well as it goes.",
    }
}
