//! The front door.

super::texts! {
    /// The front door.
    Front {
        title: "E-cash, with an account at the edge",
        lead: "You open an account, because the law asks who brings money in and who takes it out. In between it is e-cash: \
               it lies in your own wallet, and nobody can tell which payment was yours.",
        person_title: "Open an account",
        person: "A name you choose and a passkey: the fingerprint or face stays in your device. No password, no e-mail.",
        person_link: "Open an account",
        person_back: "I have one: sign in",
        shop_title: "Be a shop",
        shop: "Take payment with a code on a screen, give refunds, be paid out to a bank. You learn that you were paid, not by whom.",
        shop_link: "Open a shop",
        shop_hint: "It wants an account first: a name and a passkey.",
        operator_title: "Be the operator",
        operator: "See what the people who run this see: accounts, the bank's statements, and a trail of all they did.",
        operator_link: "Go to the console",
        operator_demo: "In this demonstration you are let in by the invitation that was printed when it was started.",
        known_title: "What is known, and what is not",
        known: "The desk knows your account and what came in and went out of it. The mint knows which e-cash was spent and not \
                by whom. They are two databases that have account numbers in common and nothing else, and there is no field anywhere for nationality, religion, \
                contacts, location or a face.",
        elsewhere: "Elsewhere",
        mint: "The mint",
        mint_about: "issues and redeems the e-cash",
        wallet: "The wallet",
        wallet_about: "carries it",
    }
}
