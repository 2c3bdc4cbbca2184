//! The passport, in the portal.

super::texts! {
    /// What the portal says of passports.
    Passport {
        title: "Passport",
        lead: "A passport is your credit history, and only your wallet has it. It grows with what you pay and earn, and proves a score \
               to whoever you choose. We cannot look into it, and we do not see when you use it.",
        what_title: "What we keep",
        what_once: "That your account has a passport. An account has one, so that nobody leaves a debt behind in another.",
        what_point: "A number that follows from your wallet's words, and that nothing you do later shows again.",
        what_income: "Nothing of what is in it. Your wallet asks once a month for the income of your account, which we know anyway.",
        none_title: "Get yours",
        none: "Take a code, and give it to your wallet within the hour.",
        begun_title: "A wallet has begun",
        begun: "A wallet has asked for your passport and may not have it yet. It can ask again with a new code; another wallet cannot.",
        has_title: "Your wallet has it",
        has: "It comes back from the wallet's twelve words on any device: tacit passport recover. You need no code for that.",
        code: "Take a code",
        code_again: "Take a new code",
        waits: "The code you took counts until {moment} UTC.",
        code_title: "Give this to your wallet",
        code_lead: "It counts for an hour, for one wallet, and is shown only now. Whoever has it first has your passport: show it to nobody.",
        code_web: "Open in the wallet",
        code_other: "Or give the link to another wallet:",
        code_command: "In a terminal:",
        code_picture: "QR code of the link above",
        code_done: "Done",
        again_title: "The words are lost",
        again_lead: "Without its words nobody can get the passport back, we neither. You can begin again with another wallet. What was in \
                     the old one is gone, good and bad, and the new one is too young for certificates for {months} months.",
        again_anew: "The wallet that began never got the passport: another one can begin in its place, and nothing is lost.",
        again_sure: "I have lost the words, and want to begin again",
        again: "Begin again",
        unsure: "Nothing was done: mark first that you want to begin again.",
        closed: "Your account is not open, so it gets no passport now.",
    }
}
