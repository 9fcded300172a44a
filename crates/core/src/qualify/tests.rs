//! Facts about the shipped rules and about judging.

use crate::failure::FailureReason;
use std::collections::{BTreeMap, BTreeSet};

use super::shipped;
use super::*;

#[test]
fn the_shipped_rules_are_correct_and_match_their_samples() {
    // Building checks each sample of each rule, and that no earlier rule takes it.
    let rules = shipped::rules().unwrap_or_else(|problems| panic!("{}", told(&problems)));
    let count = rules.len();
    let set = RuleSet::build(rules).unwrap_or_else(|problems| panic!("{}", told(&problems)));
    assert_eq!(set.rules().count(), count);
    assert!(count > 150, "{count}");
}

fn told(problems: &[RuleProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn judge(text: &str) -> Verdict {
    RuleSet::shipped().judge(&Question::about(text))
}

/// `type reason` of a verdict.
fn short(verdict: &Verdict) -> String {
    format!("{} {}", verdict.kind, verdict.reason)
}

#[test]
fn the_text_is_believed_where_the_code_lies() {
    let rows = [
        (
            "550 5.5.0 <a@example.com> user unknown",
            "hard user_unknown",
        ),
        (
            "552 5.1.1 <a@example.com> mailbox is full",
            "soft mailbox_full",
        ),
        (
            "550 5.1.1 connection blocked using our list of abusers",
            "soft refused",
        ),
        ("550 5.2.1 recipient does not exist", "hard user_unknown"),
        ("554 5.7.1 no such user here", "hard user_unknown"),
        ("550 5.0.0 account over quota", "soft mailbox_full"),
        ("421 4.7.0 account suspended", "soft account_disabled"),
        ("550 5.7.1 account suspended", "hard account_disabled"),
        ("550 user temporarily locked", "soft account_disabled"),
        ("450 4.1.1 user unknown", "hard user_unknown"),
        ("550 5.1.1", "hard user_unknown"),
        ("552 5.2.2", "soft mailbox_full"),
        ("550 5.7.1", "soft refused"),
        ("451", "soft unreachable"),
        ("550", "soft refused"),
        ("550 5.1.1 message rejected as spam", "soft refused"),
        (
            "5.1.0 - Unknown address error 550-'5.2.2 <a@example.com>... Mailbox Full'",
            "soft mailbox_full",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(short(&judge(text)), expected, "{text}");
    }
}

#[test]
fn two_things_are_understood_in_further_languages() {
    let rows = [
        ("bruker ukjent", "brevlådan är full"),
        ("felhasználó nem található", "a postafiók megtelt"),
        ("tuntematon vastaanottaja", "postilaatikko on täynnä"),
        ("utilizator inexistent", "postkasse full"),
        ("ο χρήστης δεν υπάρχει", "γραμματοκιβώτιο πλήρες"),
        ("المستخدم غير موجود", "صندوق البريد ممتلئ"),
        ("המשתמש לא קיים", "התיבה מלאה"),
        ("користувача не знайдено", "поштова скринька переповнена"),
        ("người dùng không tồn tại", "hộp thư đầy"),
        ("pengguna tidak ditemukan", "kotak surat penuh"),
        ("ไม่พบผู้ใช้", "กล่องจดหมายเต็ม"),
    ];
    for (unknown, full) in rows {
        assert_eq!(
            short(&judge(&format!("550 {unknown}"))),
            "hard user_unknown",
            "{unknown}"
        );
        assert_eq!(
            short(&judge(&format!("552 {full}"))),
            "soft mailbox_full",
            "{full}"
        );
    }
}

#[test]
fn an_address_can_be_the_subject() {
    for text in [
        "550 jane@example.org is unknown",
        "550 <jane@example.org>: unknown",
        "554 We do not know jane@example.org",
        "550 there is nobody by that name",
    ] {
        assert_eq!(short(&judge(text)), "hard user_unknown", "{text}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn texts_that_no_rule_knows_are_understood_in_many_languages() {
    let rows = [
        ("550 Empfänger ist hier nicht bekannt", "hard user_unknown"),
        ("550 Der Benutzer existiert nicht", "hard user_unknown"),
        (
            "552 Das Postfach des Empfängers ist voll",
            "soft mailbox_full",
        ),
        (
            "550 Ihre Nachricht wurde als Spam erkannt und abgelehnt",
            "soft refused",
        ),
        ("550 Das Konto ist gesperrt", "hard account_disabled"),
        ("550 Cette adresse n'existe pas", "hard user_unknown"),
        (
            "552 La boîte aux lettres de votre correspondant est pleine",
            "soft mailbox_full",
        ),
        ("550 Ce compte a été désactivé", "hard account_disabled"),
        (
            "421 Trop de connexions depuis votre serveur",
            "soft unreachable",
        ),
        (
            "550 El usuario no existe en este servidor",
            "hard user_unknown",
        ),
        ("552 El buzón está lleno", "soft mailbox_full"),
        ("550 La cuenta está suspendida", "hard account_disabled"),
        (
            "550 Usuário inexistente neste servidor",
            "hard user_unknown",
        ),
        (
            "552 A caixa postal do destinatário está cheia",
            "soft mailbox_full",
        ),
        ("550 Conta desativada", "hard account_disabled"),
        ("550 L'utente non esiste", "hard user_unknown"),
        (
            "552 La casella del destinatario è piena",
            "soft mailbox_full",
        ),
        ("550 Deze gebruiker bestaat niet", "hard user_unknown"),
        (
            "552 De mailbox van de ontvanger is vol",
            "soft mailbox_full",
        ),
        ("550 Użytkownik nie istnieje", "hard user_unknown"),
        ("552 Skrzynka odbiorcy jest pełna", "soft mailbox_full"),
        ("550 Konto jest nieaktywne", "hard account_disabled"),
        ("550 Uživatel neexistuje", "hard user_unknown"),
        ("552 Schránka příjemce je plná", "soft mailbox_full"),
        ("550 Пользователь не найден", "hard user_unknown"),
        (
            "552 Почтовый ящик получателя переполнен",
            "soft mailbox_full",
        ),
        ("550 Ваше сообщение отклонено как спам", "soft refused"),
        ("550 Учетная запись отключена", "hard account_disabled"),
        ("550 受信者が存在しません", "hard user_unknown"),
        (
            "552 メールボックスの容量を超えています",
            "soft mailbox_full",
        ),
        ("550 このユーザーは利用停止中です", "hard account_disabled"),
        ("550 收件人不存在", "hard user_unknown"),
        ("552 用户邮箱已满", "soft mailbox_full"),
        ("554 垃圾邮件，拒绝接收", "soft refused"),
        ("550 帐号被禁用", "hard account_disabled"),
        ("550 존재하지 않는 사용자입니다", "hard user_unknown"),
        ("552 수신자의 메일함이 가득 찼습니다", "soft mailbox_full"),
        ("550 휴면 계정입니다", "hard account_disabled"),
        ("550 Kullanıcı bulunamadı", "hard user_unknown"),
        ("552 Alıcının posta kutusu dolu", "soft mailbox_full"),
        (
            "550 the person you write to is not known at this company",
            "hard user_unknown",
        ),
        (
            "550 this domain has never existed, bad domain name",
            "soft invalid_domain",
        ),
        (
            "550 we do not like the reputation of your network",
            "soft refused",
        ),
        (
            "421 our server has a problem with its database",
            "soft unreachable",
        ),
        ("550 your message is too large for us", "soft refused"),
        ("550 the DKIM check of your mail failed", "soft refused"),
        (
            "451 you send too many messages per hour",
            "soft unreachable",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(short(&judge(text)), expected, "{text}");
    }
}

#[test]
fn replies_of_many_servers_are_understood() {
    let rows = include_str!("../../testdata/replies.tsv");
    let mut count = 0;
    for row in rows.lines().filter(|row| !row.starts_with('#')) {
        let [kind, reason, text] = row.splitn(3, '\t').collect::<Vec<_>>()[..] else {
            panic!("three fields: {row}");
        };
        let verdict = judge(text);
        assert_eq!(verdict.reason.slug(), reason, "{text}: {verdict:?}");
        assert!(
            kind == "*" || verdict.kind.slug() == kind,
            "{text}: {verdict:?}"
        );
        count += 1;
    }
    assert!(count > 250, "{count}");
}

#[test]
fn the_party_tells_who_is_to_blame() {
    use crate::failure::Party as P;
    let rows = [
        ("550 5.1.1 no such user", P::Recipient),
        ("552 5.2.2 over quota", P::Recipient),
        ("554 blocked using zen.spamhaus.org", P::Sender),
        ("550 5.7.26 dmarc failed", P::Sender),
        ("554 5.7.1 message rejected as spam", P::Content),
        ("552 5.3.4 message too large", P::Content),
        ("421 too many connections", P::Sender),
        ("451 4.3.0 temporary local problem", P::Path),
        ("500 5.5.1 command unrecognized", P::Ourselves),
    ];
    for (text, party) in rows {
        assert_eq!(judge(text).party, party, "{text}");
    }
}

#[test]
fn fallbacks_are_named_and_less_sure() {
    let rows = [
        ("550 5.1.1", "status-table"),
        ("451 hmm", "code-class"),
        ("hmm", "not-defined"),
        ("550 Пользователь не найден", "vocabulary"),
    ];
    for (text, name) in rows {
        let verdict = judge(text);
        assert_eq!(&*verdict.rule.name, name, "{text}");
        assert_eq!(verdict.rule.version, shipped::VERSION);
        assert!(verdict.confidence <= 90, "{text}");
    }
    assert_eq!(short(&judge("hmm")), "not_defined not_defined");
}

#[test]
fn a_delay_is_never_hard_for_a_suspension() {
    let mut question = Question::about("550 5.2.1 account suspended");
    question.permanent = Some(false);
    assert_eq!(
        RuleSet::shipped().judge(&question).kind,
        crate::failure::FailureType::Soft
    );
}

#[test]
fn a_transient_status_alone_never_condemns_an_address() {
    let rows = [
        ("450 4.1.1", "soft user_unknown"),
        ("450 4.1.1 try", "soft user_unknown"),
        ("450 4.1.1 user unknown", "hard user_unknown"),
        ("550 5.1.1", "hard user_unknown"),
    ];
    for (text, expected) in rows {
        assert_eq!(short(&judge(text)), expected, "{text}");
    }
}

#[test]
fn explanations_name_the_rule_and_the_steps() {
    let set = RuleSet::shipped();
    for text in [
        "550 5.4.1 Recipient address rejected: Access denied",
        "550 foo bar unknown user baz",
    ] {
        let question = Question::about(text);
        let why = set.judge_explained(&question);
        assert_eq!(why.verdict, set.judge(&question));
        let last = why.steps.last().unwrap();
        assert!(last.contains(&*why.verdict.rule.name), "{last}");
    }
}

const OWN: &str = r#"
    [[rule]]
    name = "own-word"
    text = ["flibbertigibbet"]
    means = "busy"
    source = "a test"
    samples = ["550 flibbertigibbet"]
"#;

#[test]
fn ones_own_rules_come_before_or_after_the_shipped_ones() {
    let question = Question::about("550 5.1.1 no such user here, flibbertigibbet");
    for (order, name) in [(0, "own-word"), (100_000, "zimbra-lmtp")] {
        let own = parse_rules("own.toml", OWN, order).unwrap();
        let set = RuleSet::shipped().with(&own).unwrap();
        assert_eq!(&*set.judge(&question).rule.name, name);
    }
}

#[test]
fn a_rule_of_the_same_name_replaces_the_shipped_one() {
    let text = OWN.replace("own-word", "zimbra-lmtp");
    let own = parse_rules("own.toml", &text, 0).unwrap();
    let set = RuleSet::shipped().with(&own).unwrap();
    assert_eq!(
        set.rules()
            .filter(|rule| rule.name == "zimbra-lmtp")
            .count(),
        1
    );
}

#[test]
fn a_normalised_text_can_be_a_pattern() {
    let text = OWN
        .replace(
            "flibbertigibbet\"]\n    means",
            "queue #xxx# of * jammed\"]\n    means",
        )
        .replace(
            "550 flibbertigibbet",
            "550 queue 17a of jane@example.com jammed",
        );
    let own = parse_rules("own.toml", &text, 0).unwrap();
    let set = RuleSet::shipped().with(&own).unwrap();
    let verdict = set.judge(&Question::about(
        "550 queue 99bcd of joe@example.org jammed",
    ));
    assert_eq!(&*verdict.rule.name, "own-word");
}

#[test]
fn wrong_rules_are_refused_with_the_reason() {
    let rows = [
        (
            OWN.replace("    samples = [\"550 flibbertigibbet\"]\n", ""),
            "has no sample",
        ),
        (
            OWN.replace("550 flibbertigibbet", "550 other"),
            "does not match its own sample",
        ),
        (OWN.replace("own-word", "Own Word"), "kebab-case"),
        (OWN.replace("a test", " "), "no source"),
        (
            OWN.replace("means = \"busy\"", "type = \"soft\""),
            "no whole verdict",
        ),
        (
            OWN.replace("means", "colour = 1\n    means"),
            "unknown field",
        ),
        (
            OWN.replace("flibbertigibbet\"]\n    means", "re:(\"]\n    means"),
            "does not compile",
        ),
        (
            OWN.replace("flibbertigibbet\"]\n    means", "re:FLIB\"]\n    means"),
            "never match",
        ),
        (
            OWN.replace("means", "code = [\"55\"]\n    means"),
            "no reply code",
        ),
        (
            OWN.replace("means", "enhanced = [\"5.1\"]\n    means"),
            "no status",
        ),
        (
            OWN.replace("means", "said_by = \"us\"\n    code = [\"550\"]\n    means"),
            "never match",
        ),
        (
            OWN.replace(
                "means",
                "not_samples = [\"421 flibbertigibbet\"]\n    means",
            ),
            "must not",
        ),
        (
            OWN.replace("    text = [\"flibbertigibbet\"]\n", ""),
            "match everything",
        ),
        (
            OWN.replace("means", "confidence = 0\n    means"),
            "confidence",
        ),
        (format!("{OWN}{OWN}"), "unique"),
        (
            format!("{OWN}{}", OWN.replace("own-word", "own-second")),
            "takes its sample",
        ),
        ("[[rules]]".to_owned(), "no rule file"),
    ];
    for (text, word) in rows {
        let problems = parse_rules("own.toml", &text, 0)
            .and_then(|rules| RuleSet::build(rules).map(|_| ()))
            .expect_err(word);
        let told = told(&problems);
        assert!(told.contains(word), "{word}: {told}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_gets_a_verdict(text in "\\PC{0,120}", code in 0..1000_u16, permanent: Option<bool>) {
        let mut question = Question::about(&text);
        question.code = Some(code);
        question.permanent = permanent;
        let verdict = RuleSet::shipped().judge(&question);
        proptest::prop_assert!(verdict.confidence <= 100);
        proptest::prop_assert_eq!(RuleSet::shipped().judge_explained(&question).verdict, verdict);
    }
}

#[test]
fn no_word_of_the_vocabulary_says_the_same_twice() {
    #[derive(serde::Deserialize)]
    struct File {
        concept: BTreeMap<String, Vec<String>>,
        phrase: Vec<Phrase>,
    }
    #[derive(serde::Deserialize)]
    struct Phrase {
        text: Vec<String>,
    }
    let file: File = toml::from_str(shipped::VOCABULARY).unwrap();
    let mut lists: Vec<(String, Vec<String>)> = file.concept.into_iter().collect();
    let phrases = file.phrase.into_iter().flat_map(|phrase| phrase.text);
    lists.push(("phrases".to_owned(), phrases.collect()));
    for (list, words) in lists {
        let mut seen = BTreeSet::new();
        for word in words {
            assert!(seen.insert(word.clone()), "{list}: {word} stands twice");
        }
    }
}

#[test]
fn what_ends_or_is_unknown_need_not_be_the_recipient() {
    let texts = [
        "Zustellung nach fünf Tagen aufgegeben",
        "Die Wartezeit ist abgelaufen",
        "el mensaje lleva más de 4 horas en la cola",
        "su IP ha sido bloqueado",
        "host name not found in DNS",
        "the connection has died",
        "koneksi ditutup oleh server",
        "连接已终止",
        "Der Grund ist nicht bekannt",
    ];
    for text in texts {
        let verdict = judge(text);
        assert_ne!(verdict.kind, crate::failure::FailureType::Hard, "{text}");
    }
}

/// Texts, and whether they blame the recipient: the same words are said of many things.
#[test]
fn words_of_blame_are_believed_of_a_recipient_alone() {
    let rows = [
        // What belongs to the recipient is not the recipient.
        ("the recipient's mail server is unknown", false),
        ("certificate of the recipient host has expired", false),
        ("next hop for recipient not found in DNS", false),
        ("сервер получателя закрыт на обслуживание", false),
        ("受信者のサーバーが見つかりません", false),
        ("le serveur du destinataire est introuvable", false),
        ("the mailbox of the recipient does not exist", true),
        ("the recipient's mailbox was not found on this server", true),
        // What stands between them is what the words are said of.
        ("user lookup failed: LDAP server not found", false),
        (
            "the process that writes to the mailbox was killed by an unknown signal",
            false,
        ),
        ("user unknown at host mail.example.com", true),
        ("mailbox on our new mail server not found", true),
        ("user or domain has been disabled", true),
        // Who did it.
        ("connection closed by the recipient", false),
        ("Verbindung vom Empfänger geschlossen", false),
        // Another sentence.
        (
            "domain example.net not found; mail to the user could not be routed",
            false,
        ),
        ("host not found, recipient not tried", false),
        // The sender.
        ("the sender's account has been suspended", false),
        ("your account has been disabled for outgoing mail", false),
        ("Účet odesílatele byl zablokován", false),
        ("发件人的帐户已被停用", false),
        ("the recipient's account has been suspended", true),
        ("收件人的帐户已被停用", true),
        // What a system did is said of whom it did not find.
        ("our server could not find the user", true),
        ("unknown user name", true),
        ("no such user here, said the server", true),
        // Articles are no prepositions, and «of» is no «or».
        ("a machine of the recipient was not found", false),
        (
            "the recipient was not checked because a host is unknown",
            false,
        ),
        ("la máquina del destinatario es desconocida", false),
        ("the address of the mail server was not found", false),
        ("mailbox of the gateway does not exist", false),
        // Words that only look like such a noun.
        ("554 5.1.1 De mailbox kon niet worden gevonden", true),
        ("Die Adresse der Beispiel AG existiert nicht mehr", true),
        ("Das Konto wurde am Dienstag gesperrt", true),
        ("550 5.1.1 mailbox jane at mx.example.net not found", true),
        ("550 5.1.1 relay.example.net user unknown", true),
        // What has no such user is not what is missing.
        ("550 The domain has no such user", true),
        ("550 5.1.1 Error user unknown", true),
    ];
    for (text, blames) in rows {
        let verdict = judge(text);
        let blamed = matches!(
            verdict.reason,
            FailureReason::UserUnknown | FailureReason::AccountDisabled
        );
        assert_eq!(blamed, blames, "{text}: {verdict:?}");
    }
}
