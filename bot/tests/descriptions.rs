//! The session descriptions of `str0m` in the compact form that goes over the broker.
#![allow(clippy::disallowed_methods)] // `str0m` takes the time as an argument; this is where it is read.

use std::sync::Arc;
use std::time::Instant;

use rtchat::rtc::{DataDescription, SdpType};
use str0m::change::SdpOffer;
use str0m::{Candidate, RtcConfig};

/// Encodes the description and decodes it again.
fn sent(kind: SdpType, sdp: &str) -> DataDescription {
    let description = DataDescription::from_sdp(kind, sdp).expect(sdp);
    assert_eq!(description.candidates().len(), 1, "{sdp}");
    let fingerprint = description.fingerprint().map(|byte| format!("{byte:02X}"));
    assert!(sdp.to_uppercase().contains(&fingerprint.join(":")), "{sdp}");
    let bytes = description.to_bytes();
    assert!(bytes.len() <= 128, "{}", bytes.len());
    DataDescription::from_bytes(&bytes).unwrap()
}

#[test]
fn descriptions_of_str0m_are_compact() {
    let now = Instant::now();
    let crypto = Arc::new(str0m::crypto::from_feature_flags());
    let rtc = |host: &str| {
        let config = RtcConfig::new().set_crypto_provider(crypto.clone());
        let mut rtc = config.clear_codecs().build(now);
        rtc.add_local_candidate(Candidate::host(host.parse().unwrap(), "udp").unwrap());
        rtc
    };
    let mut offerer = rtc("192.0.2.1:50000");
    let mut answerer = rtc("192.0.2.2:50000");
    let mut change = offerer.sdp_api();
    change.add_channel("text".to_owned());
    let (offer, _) = change.apply().unwrap();
    let offer = sent(SdpType::Offer, &offer.to_sdp_string());
    let offer = SdpOffer::from_sdp_string(&offer.to_sdp()).unwrap();
    let answer = answerer.sdp_api().accept_offer(offer).unwrap();
    sent(SdpType::Answer, &answer.to_sdp_string());
}
