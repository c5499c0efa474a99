//! The keys of the data, as a configuration reads them.

use super::{Background, ConfigError, DataSource, Request, Setting, resolve};

fn source(settings: &[&str]) -> Result<DataSource, ConfigError> {
    let settings = settings
        .iter()
        .map(|text| Setting::parse(text))
        .collect::<Result<_, _>>()?;
    let request = Request {
        settings,
        ..Request::default()
    };
    Ok(resolve(&request)?.config.data_source())
}

#[test]
fn the_defaults_are_those_of_a_source_that_is_only_named() {
    assert_eq!(source(&[]).unwrap(), DataSource::named("mnist"));
}

#[test]
fn a_background_is_a_name_or_six_digits() {
    let background = |text: &str| source(&[&format!("background={text}")]);
    assert_eq!(
        background("\"#FF8000\"").unwrap().background,
        Background([255, 128, 0])
    );
    assert_eq!(background("white").unwrap().background.0, [255; 3]);
    for wrong in ["red", "\"#12345\"", "\"#1234567\"", "\"#+12345\"", "3"] {
        let message = background(wrong).unwrap_err().to_string();
        assert!(
            message.ends_with(": expected \"black\", \"white\" or a colour such as \"#7f7f7f\""),
            "{message}"
        );
    }
    for text in ["black", "white", "#0a0b0c"] {
        assert_eq!(String::from(Background::parse(text).unwrap()), text);
    }
}

#[test]
fn an_image_size_is_one_of_four() {
    assert_eq!(source(&["image_size=48"]).unwrap().image_size, 48);
    assert_eq!(
        source(&["image_size=33"]).unwrap_err().to_string(),
        "image_size = 33 (from --set image_size): expected one of 0, 28, 32, 48, 64"
    );
}
