//! Table and properties of the normaliser.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn normalising_twice_changes_nothing(text in "\\PC{0,80}") {
        let once = normalise(&text);
        prop_assert_eq!(normalise(&once), once);
    }

    #[test]
    fn normalising_twice_changes_nothing_near_replies(
        words in prop::collection::vec(
            prop_oneof![
                "[a-z]{1,8}", "[0-9]{1,5}", "[45][0-9]{2}-?", "[45]\\.[0-7]\\.[0-9]{1,2}",
                "[a-z0-9]{1,4}@[a-z0-9.@]{1,6}", "<[a-z]{1,3}@[a-z]{1,3}>", "https?://[a-z0-9./?#=:%@*-]{0,12}",
                "[a-zA-Z0-9.:/=_@#*+-]{1,10}", "[ABz12:!#x.]{1,14}", "(Mon|Thu|May|Nov|GMT),?", "#xxx#", "\\*", "[\\(\\[][0-9.:]{1,9}[\\)\\]]",
                "stat:", "text:", "\n550-?",
            ], 0..14),
    ) {
        let text = words.join(" ");
        let once = normalise(&text);
        let twice = normalise(&once);
        prop_assert_eq!(&twice, &once, "from {:?}", text);
    }

    #[test]
    fn normalising_twice_changes_nothing_where_codes_are_repeated(
        words in prop::collection::vec(
            prop::sample::select(vec!["550", "5.7.1", "550-", "550-5.7.1", "\n550", "\n550-x", "a", ".7.1", "550,", "5.1.1", "12"]), 0..12),
    ) {
        let text = words.join(" ");
        let once = normalise(&text);
        prop_assert_eq!(normalise(&once), once, "from {:?}", text);
    }

    #[test]
    fn output_is_bounded(text in ".{0,40}", times in 1..2000usize) {
        let long = text.repeat(times);
        let once = normalise(&long);
        prop_assert!(once.len() <= MAX_OUTPUT);
        prop_assert_eq!(normalise(&once), once);
    }

    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let once = normalise_bytes(&bytes);
        prop_assert_eq!(normalise(&once), once);
    }
}

/// What is said, and what is left of it.
#[rustfmt::skip]
const TABLE: [(&str, &str); 94] = [
    ("550 jane@example.com...Account suspended", "550 *...Account suspended"),
    ("554 5.2.0 STOREDRV.Deliver.Exception:AccountDisabledException.MapiExceptionAccountDisabled; Failed", "554 5.2.0 STOREDRV.Deliver.Exception:AccountDisabledException.MapiExceptionAccountDisabled; Failed"),
    ("550 token AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGhIjKlMnOpQrStUvWxYz", "550 token #xxx#"),
    ("550 5.1.1 <jane.doe@example.com>: Recipient address rejected: User unknown", "550 5.1.1 <*>: Recipient address rejected: User unknown"),
    ("550-5.1.1 The account does not exist 550 5.1.1 Learn more", "550 5.1.1 The account does not exist Learn more"),
    ("450 4.2.0 <j+tag@sub.example.com>... try later", "450 4.2.0 <*>... try later"),
    ("421 4.7.0 [TSS04] Messages from 192.0.2.25 temporarily deferred - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes", "421 4.7.0 [TSS04] Messages from #xxx# temporarily deferred - #xxx#; see https://postmaster.yahooinc.com/error-codes"),
    ("550 5.7.606 Access denied, banned sending IP [198.51.100.222]. (AS16012609)", "550 5.7.606 Access denied, banned sending IP [#xxx#]. (#xxx#)"),
    ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "554 5.7.1 Service unavailable; Client host [#xxx#] blocked using #xxx#"),
    ("550 Message rejected, id=00000-22-225", "550 Message rejected, id=#xxx#"),
    ("250 2.0.0 Ok: queued as 4XkQ2b1ZzYx", "250 2.0.0 Ok: queued as #xxx#"),
    ("451 4.3.0 queue id 0ALK3hX2012345 failed", "451 4.3.0 queue id #xxx# failed"),
    ("550 5.1.1 user unknown m8-20020a05600c3b0800b0042c.21 - gsmtp", "550 5.1.1 user unknown #xxx# - gsmtp"),
    ("452 4.2.2 out of space https://support.google.com/mail/?p=OverQuotaTemp abc123-4567.12 - gsmtp", "452 4.2.2 out of space https://support.google.com/mail #xxx# - gsmtp"),
    ("421 mx12.example.net Service not available", "421 #xxx# Service not available"),
    ("421 mail.example.com closing connection", "421 #xxx# closing connection"),
    ("550 limit of 10485760 bytes", "550 limit of #xxx# bytes"),
    ("552 message of 25MB exceeds 10 MB", "552 message of #xxx# exceeds #xxx# MB"),
    ("451 wait 300 seconds", "451 wait #xxx# seconds"),
    ("451 wait 5 minutes", "451 wait #xxx# minutes"),
    ("550 rejected on Thu, 14 Nov 2024 10:00:00 +0000 (UTC)", "550 rejected on #xxx#"),
    ("550 rejected on 2024-11-14T10:00:00Z", "550 rejected on #xxx#"),
    ("550 rejected at 10:00:00", "550 rejected at #xxx#"),
    ("550 last seen 14-Nov-2024", "550 last seen #xxx#"),
    ("550 last seen Nov 14 2024", "550 last seen #xxx#"),
    ("550 last seen 14/11/2024 10:00", "550 last seen #xxx#"),
    ("550 You may 5 times", "550 You may #xxx# times"),
    ("550 in May we close", "550 in May we close"),
    ("550 2001:db8::1 refused", "550 #xxx# refused"),
    ("550 fe80::abcd:ef12 refused", "550 #xxx# refused"),
    ("550 [IPv6:2001:db8::1] refused", "550 [IPv6:#xxx#] refused"),
    ("550 ::1 refused", "550 #xxx# refused"),
    ("550 uuid 123e4567-e89b-12d3-a456-426614174000 gone", "550 uuid #xxx# gone"),
    ("550 hash d41d8cd98f00b204e9800998ecf8427e", "550 hash #xxx#"),
    ("550 token V2VkIEFwciAgMyAxNjozNjo1OSBKU1QgMjAxOQo=/RkNGMjlFQTVEQ0E", "550 token #xxx#"),
    ("550 see http://www.example.com/help?ip=192.0.2.1&id=7", "550 see http://www.example.com/help"),
    ("550 see http://192.0.2.1/help", "550 see http://#xxx#"),
    ("550 see https://example.com/a/b/12345/c", "550 see https://example.com/a/b"),
    ("550 see http://a/.=", "550 see http://a"),
    ("550 see https://example.com/path.", "550 see https://example.com/path."),
    ("550 see <https://example.com/help>", "550 see <https://example.com/help>"),
    ("550 #5.1.0 Address rejected jane@example.com", "550 #5.1.0 Address rejected *"),
    ("550 5.7.1 OFR_506 [506]", "550 5.7.1 OFR_506 [#xxx#]"),
    ("550 OFR006_102 Ref [102]", "550 OFR006_102 Ref [#xxx#]"),
    ("550 LPN000_630 refused", "550 LPN000_630 refused"),
    ("550 code S3150 refused", "550 code S3150 refused"),
    ("550 (CXBL) refused", "550 (CXBL) refused"),
    ("550 user123 unknown", "550 #xxx# unknown"),
    ("550 User unknown in virtual mailbox table", "550 User unknown in virtual mailbox table"),
    ("550 RESOLVER.ADR.RecipNotFound; not found", "550 RESOLVER.ADR.RecipNotFound; not found"),
    ("550 (-1915321397:308:-2147467259)", "550 (-#xxx#)"),
    ("550 phone +49 30 1234567 unknown", "550 phone +#xxx# unknown"),
    ("550 call 0049-30-1234567", "550 call #xxx#"),
    ("550 size=12345 limit=10000", "550 size=#xxx# limit=#xxx#"),
    ("550 rcpt=jane@example.com unknown", "550 rcpt=* unknown"),
    ("550 mailto:jane@example.com", "550 mailto:*"),
    ("550 'jane@example.com' unknown", "550 '*' unknown"),
    ("550 \"jane@example.com\" unknown", "550 \"*\" unknown"),
    ("550 (jane@example.com) unknown", "550 (*) unknown"),
    ("550 jane@example.com.", "550 *."),
    ("550 jane@example.com,joe@example.org", "550 *,*"),
    ("550 a@b@c", "550 *"),
    ("550 jane@[192.0.2.1] unknown", "550 jane@[#xxx#] unknown"),
    ("550 @example.com unknown", "550 @#xxx# unknown"),
    ("550 user @ host", "550 user @ host"),
    ("550 größe@example.com unbekannt", "550 * unbekannt"),
    ("550 Пользователь vasya77 не найден", "550 Пользователь #xxx# не найден"),
    ("550 用户 abc123 不存在", "550 用户 #xxx# 不存在"),
    ("550 メールボックス 12345 がありません", "550 メールボックス #xxx# がありません"),
    ("550    many    blanks\tand tabs", "550 many blanks and tabs"),
    ("550-first", "550 first"),
    ("550 5.1.1", "550 5.1.1"),
    ("550", "550"),
    ("421", "421"),
    ("not a code at all", "not a code at all"),
    ("5.1.1 unknown", "5.1.1 unknown"),
    ("host mx1.example.com[192.0.2.1] said: 550 5.1.1 user unknown (in reply to RCPT TO command)", "host #xxx#[#xxx#] said: 550 5.1.1 user unknown (in reply to RCPT TO command)"),
    ("SMTP: time-out while waiting for the greeting (mx1.example.com)", "SMTP: time-out while waiting for the greeting (#xxx#)"),
    ("DNS: the domain example.test does not exist (NXDOMAIN)", "DNS: the domain #xxx# does not exist (NXDOMAIN)"),
    ("id:123 sub:001 dlvrd:000 submit date:2401011200 done date:2401011201 stat:UNDELIV err:012 text:Hello Jane", "id:#xxx# sub:#xxx# dlvrd:#xxx# submit date:#xxx# done date:#xxx# stat:UNDELIV err:012 text:#MESSAGE#"),
    ("550 percent 99.5% spam", "550 percent #xxx#% spam"),
    ("550 scored 12.3 spam points", "550 scored #xxx# spam points"),
    ("550 RFC5321 violation", "550 RFC5321 violation"),
    ("550 RFC 5321 violation", "550 RFC #xxx# violation"),
    ("550 uses TLSv1.2 only", "550 uses #xxx# only"),
    ("550 UTF-8 not supported", "550 UTF-8 not supported"),
    ("550 #xxx# and *", "550 #xxx# and *"),
    ("550 hopcount 26 exceeds 25", "550 hopcount #xxx# exceeds #xxx#"),
    ("550 e.g. full", "550 e.g. full"),
    ("550 X-Spam-Flag header", "550 X-Spam-Flag header"),
    ("550 from mx-out-7.example.net (helo=smtp)", "550 from #xxx# (helo=smtp)"),
    ("550 server busy; try mx2.example.net:2525", "550 server busy; try #xxx#"),
    ("550 msg 1,234,567 too large", "550 msg #xxx# too large"),
    ("550 AbCdEf123456 blocked", "550 #xxx# blocked"),
];

#[test]
fn variable_parts_are_replaced_and_words_stay() {
    for (text, expected) in TABLE {
        assert_eq!(normalise(text), expected, "{text}");
        assert_eq!(normalise(expected), expected, "twice: {text}");
    }
}

#[test]
fn different_failures_stay_different() {
    let texts = [
        "550 5.1.1 user unknown",
        "550 5.2.1 user unknown",
        "450 5.1.1 user unknown",
        "550 5.7.1 refused OFR_506",
        "550 5.7.1 refused OFR_102",
        "id:1 stat:UNDELIV err:012 text:a",
        "id:1 stat:UNDELIV err:013 text:a",
        "550 see https://example.com/a",
        "550 see https://example.com/b",
    ];
    let normalised: std::collections::HashSet<String> =
        texts.iter().map(|text| normalise(text)).collect();
    assert_eq!(normalised.len(), texts.len());
}

#[test]
fn what_is_left_of_something_is_nothing_else() {
    for (text, expected) in [
        ("550 BB!BBBBBBBBBB2:BB2:0BBBBBBaB", "550 BB!#xxx#:BB2:#xxx#"),
        ("550 zz1234567::AB1", "550 #xxx#::AB1"),
        ("550 AB1::zz1234567", "550 AB1::#xxx#"),
        ("550 2001:db8::1 [2001:db8::2]", "550 #xxx# [#xxx#]"),
        (
            "550 5.7.1 550 550 5.7.1 5.7.1 550 5.7.1 .7.1 ",
            "550 5.7.1 5.7.1 .#xxx#",
        ),
        ("550 5.7.1 a 550 550-5.7.1 5.7.1 b", "550 5.7.1 a 5.7.1 b"),
        ("550 550 5.1.1 550 5.1.1 gone", "550 5.1.1 gone"),
    ] {
        assert_eq!(normalise(text), expected);
        assert_eq!(normalise(expected), expected);
    }
}

#[test]
fn a_word_that_joins_a_placeholder_can_be_cut() {
    let long = format!("{} 7 8({}", "unknown ".repeat(500), "é".repeat(3000));
    let text = normalise(&long);
    assert!(text.len() <= MAX_OUTPUT && text.ends_with(CUT));
    assert_eq!(normalise(&text), text);
}

#[test]
fn a_code_is_not_kept_when_its_status_is_cut_off() {
    for blanks in 0..40 {
        let long = format!(
            "{}{} 554 5.7.1 refused",
            "unknown ".repeat(508),
            "x".repeat(blanks)
        );
        let text = normalise(&long);
        assert_eq!(normalise(&text), text);
    }
}

#[test]
fn a_long_text_is_cut_with_a_mark() {
    let long = "unknown ".repeat(100_000);
    let text = normalise(&long);
    assert!(
        text.len() <= MAX_OUTPUT && text.ends_with(CUT),
        "{}",
        text.len()
    );
}
