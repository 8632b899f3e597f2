//! What an offer or answer of the other side says of its sections, and which of them are taken.

use str0m::media::Mid;

/// Of each kind, the other side sends at most so many tracks. More are refused for good.
const MOST: usize = 2;

/// What a description says of one section for sound or pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// The section.
    pub mid: Mid,
    /// Whether it is for pictures.
    pub is_picture: bool,
    /// Whether the other side would send there.
    pub sends: bool,
    /// Whether it would receive there.
    pub receives: bool,
}

/// A description without the directions that nobody wishes, and what it said of its sections before.
pub struct Settled {
    /// The text.
    pub sdp: String,
    /// What it said of the sections that are taken.
    pub said: Vec<Said>,
}

/// Closes the directions of an offer that nobody wishes, before it is answered. `str0m` answers with what an offer allows, so
/// it is given one that allows no more. Nothing is sent in the sections of the other side, and nothing comes in ours.
pub fn settle(
    offer: &str,
    is_ours: impl Fn(Mid) -> bool,
    takes: impl Fn(&Said) -> bool,
) -> Settled {
    let mut parts = parts(offer);
    let (mut sounds, mut pictures) = (0, 0);
    let mut said = Vec::new();
    let mut refused = Vec::new();
    for part in parts.iter_mut().filter(|part| part.is_media()) {
        let Some(mid) = part.mid() else { continue };
        let (section, is_ours) = (part.said(mid), is_ours(Mid::from(mid)));
        if !is_ours {
            if part.is_rejected() {
                continue;
            }
            let seen = match section.is_picture {
                true => &mut pictures,
                false => &mut sounds,
            };
            *seen += 1;
            if *seen > MOST {
                refused.push(mid);
                part.refuse();
                continue;
            }
            part.direct(match section.sends && takes(&section) {
                true => "a=sendonly",
                false => "a=inactive",
            });
        }
        said.push(section);
    }
    for line in parts.iter_mut().flat_map(|part| &mut part.lines) {
        if let Some(group) = line.strip_prefix("a=group:BUNDLE ") {
            let kept: Vec<&str> = group
                .split(' ')
                .filter(|mid| !refused.contains(mid))
                .collect();
            *line = format!("a=group:BUNDLE {}", kept.join(" ")).into();
        }
    }
    let lines = parts.iter().flat_map(|part| &part.lines);
    let sdp = lines.fold(String::with_capacity(offer.len()), |sdp, line| {
        sdp + line + "\r\n"
    });
    Settled { sdp, said }
}

/// What an answer says of the sections that it takes.
pub fn said(answer: &str) -> Vec<Said> {
    let parts = parts(answer);
    let parts = parts.iter().filter(|part| part.is_media());
    parts
        .filter(|part| !part.is_rejected())
        .filter_map(|part| Some(part.said(part.mid()?)))
        .collect()
}

type Line<'a> = std::borrow::Cow<'a, str>;

/// The lines of a section, or those before the first.
#[derive(Default)]
struct Part<'a> {
    lines: Vec<Line<'a>>,
    mid: Option<&'a str>,
}

fn parts(sdp: &str) -> Vec<Part<'_>> {
    let mut parts = vec![Part::default()];
    for line in sdp.split(['\r', '\n']).filter(|line| !line.is_empty()) {
        if line.starts_with("m=") {
            parts.push(Part::default());
        }
        if let Some(part) = parts.last_mut() {
            part.mid = line.strip_prefix("a=mid:").or(part.mid);
            part.lines.push(line.into());
        }
    }
    parts
}

const DIRECTIONS: [&str; 4] = ["a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"];

impl<'a> Part<'a> {
    fn is_media(&self) -> bool {
        self.begins_with("m=audio ") || self.is_picture()
    }

    fn is_picture(&self) -> bool {
        self.begins_with("m=video ")
    }

    fn begins_with(&self, words: &str) -> bool {
        let first = self.lines.first();
        first.is_some_and(|line| line.starts_with(words))
    }

    fn mid(&self) -> Option<&'a str> {
        self.mid
    }

    /// Whether the section is refused or stopped (RFC 8829, section 5.3.1).
    fn is_rejected(&self) -> bool {
        let port = self.lines.first().and_then(|line| line.split(' ').nth(1));
        port == Some("0") && !self.lines.iter().any(|line| line == "a=bundle-only")
    }

    fn said(&self, mid: &str) -> Said {
        let mut lines = self.lines.iter();
        let direction = lines.find(|line| DIRECTIONS.contains(&line.as_ref()));
        let [both, sends, receives, _] = DIRECTIONS;
        // A section without a direction has both.
        let direction = direction.map_or(both, AsRef::as_ref);
        Said {
            mid: Mid::from(mid),
            is_picture: self.is_picture(),
            sends: direction == both || direction == sends,
            receives: direction == both || direction == receives,
        }
    }

    fn direct(&mut self, direction: &'static str) {
        self.lines
            .retain(|line| !DIRECTIONS.contains(&line.as_ref()));
        self.lines.push(direction.into());
    }

    fn refuse(&mut self) {
        self.lines.retain(|line| line != "a=bundle-only");
        self.direct("a=inactive");
        let words: Vec<&str> = self.lines[0].split(' ').collect();
        let mut words = words.into_iter().enumerate();
        let first = words
            .by_ref()
            .map(|(at, word)| if at == 1 { "0" } else { word });
        let first = first.collect::<Vec<_>>().join(" ");
        self.lines[0] = first.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(sections: &[&str]) -> String {
        let mids: Vec<String> = (0..sections.len()).map(|mid| mid.to_string()).collect();
        let mut sdp = format!("v=0\r\na=group:BUNDLE {}\r\n", mids.join(" "));
        for (mid, section) in sections.iter().enumerate() {
            let (kind, direction) = section.split_once(' ').unwrap();
            let port = if direction == "stopped" { 0 } else { 9 };
            sdp += &format!("m={kind} {port} UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\n");
            if direction != "stopped" {
                sdp += &format!("a={direction}\r\n");
            }
        }
        sdp
    }

    fn settled(sections: &[&str], takes: impl Fn(&Said) -> bool) -> Vec<String> {
        let Settled { sdp, .. } = settle(&offer(sections), |mid| mid == Mid::from("1"), takes);
        let found = parts(&sdp);
        let media = found.iter().filter(|part| part.is_media());
        media
            .map(|part| match part.is_rejected() {
                true => "refused".to_owned(),
                false => part.lines.last().unwrap().to_string(),
            })
            .collect()
    }

    #[test]
    fn what_nobody_wishes_is_closed() {
        let sections = ["audio sendrecv", "audio recvonly", "video sendonly"];
        assert_eq!(
            settled(&sections, |_| true),
            ["a=sendonly", "a=recvonly", "a=sendonly"]
        );
        assert_eq!(
            settled(&sections, |_| false),
            ["a=inactive", "a=recvonly", "a=inactive"]
        );
        assert_eq!(
            settled(&sections, |said| !said.is_picture),
            ["a=sendonly", "a=recvonly", "a=inactive"]
        );
        assert_eq!(settled(&["video recvonly"], |_| true), ["a=inactive"]);
    }

    #[test]
    fn a_flood_of_sections_is_refused() {
        let sections = [
            "video stopped",
            "audio recvonly",
            "video sendonly",
            "video sendonly",
            "video sendonly",
            "audio sendonly",
            "video sendrecv",
        ];
        assert_eq!(
            settled(&sections, |_| true),
            [
                "refused",
                "a=recvonly",
                "a=sendonly",
                "a=sendonly",
                "refused",
                "a=sendonly",
                "refused"
            ]
        );
        let Settled { sdp, said } = settle(&offer(&sections), |_| false, |_| true);
        assert!(sdp.contains("a=group:BUNDLE 0 1 2 3 5\r\n"), "{sdp}");
        assert_eq!(said.len(), 4);
    }

    #[test]
    fn an_answer_says_what_is_open() {
        let said = said(&offer(&[
            "audio recvonly",
            "video stopped",
            "video inactive",
        ]));
        let open: Vec<_> = said.iter().map(|it| (it.sends, it.receives)).collect();
        assert_eq!(open, [(false, true), (false, false)]);
    }
}
