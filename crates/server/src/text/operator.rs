//! The operator's console.

super::texts! {
    /// The operator's console.
    Operator {
        sign_in_title: "Operator's console",
        sign_in_lead: "For those who work here. Sign in with your passkey; if you have none yet, use the invitation you were given.",
        home_title: "Operator's console",
        home_lead: "You are here as {role}. What you do is written down in the trail, and what you may do follows from your role.",
        menu_home: "Overview",
        menu_trail: "Trail",
        menu_trail_about: "What staff did, in a chain that shows every change",
        menu_passkeys: "Passkeys",
        menu_passkeys_about: "What you sign in with",
        trail_title: "Trail",
        trail_lead: "Each entry holds the hash of the one before. The last one is {hash}; keep it elsewhere, and nobody can \
                     change what came before without your seeing it.",
        trail_sound: "The whole trail was just checked: {count} entries, unbroken.",
        trail_broken: "The trail is broken: {what}.",
        trail_number: "No.",
        trail_moment: "When (UTC)",
        trail_staff: "Who",
        trail_action: "What",
        trail_subject: "To whom",
        trail_detail: "Detail",
        trail_machine: "at the machine",
        trail_older: "Older",
        trail_newest: "Newest",
        trail_empty: "Nothing was done yet.",
        passkeys_title: "Your passkeys",
    }
}
