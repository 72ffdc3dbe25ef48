//! The checkout pages in a real browser: headless Chromium, driven through chromedriver.
//!
//! Where one of the two is missing the tests show as ignored and say why. With
//! `PAYMUX_REQUIRE_BROWSER=1` they fail instead.

mod milkypay;
mod ramp;
mod toffeepay;
mod wallet;

use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use libtest_mimic::{Arguments, Failed, Trial};
use paymux_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const CHROMEDRIVER: [&str; 1] = ["chromedriver"];

type TestResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let programs = find(&CHROMIUM).zip(find(&CHROMEDRIVER));
    let required = std::env::var("PAYMUX_REQUIRE_BROWSER").is_ok_and(|value| value == "1");
    let reason = if programs.is_some() { "" } else { " (chromium or chromedriver is missing)" };
    let trial = |name: &str, test: Test| {
        let programs = programs.clone();
        Trial::test(format!("{name}{reason}"), move || run(programs, test))
            .with_ignored_flag(!reason.is_empty() && !required)
    };
    let tests =
        toffeepay::TESTS.iter().chain(&milkypay::TESTS).chain(&wallet::TESTS).chain(&ramp::TESTS);
    let trials = tests.map(|(name, test)| trial(name, *test)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

type TestFuture = std::pin::Pin<Box<dyn Future<Output = TestResult> + Send>>;
type Test = fn(Page) -> TestFuture;

/// A browser, the sandbox it looks at, and a shop to come back to.
#[derive(Clone)]
struct Page {
    browser: Client,
    sandbox: std::sync::Arc<Sandbox>,
    shop: String,
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().find_map(|name| {
        places.iter().map(|place| place.join(name)).find(|program| program.is_file())
    })
}

fn run(programs: Option<(PathBuf, PathBuf)>, test: Test) -> Result<(), Failed> {
    let (chromium, chromedriver) = programs.ok_or("chromium or chromedriver is missing")?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let (mut driver, port) = start_driver(chromedriver).await?;
        let profile = std::env::temp_dir().join(format!("paymux-browser-{port}"));
        let browser = open_browser(&chromium, port, &profile).await?;
        let sandbox = Sandbox::start(SandboxConfig::default().seed(1)).await?;
        let sandbox = std::sync::Arc::new(sandbox);
        let shop = start_shop().await?;
        // In a task, so that a panic still closes the browser.
        let page = Page { browser: browser.clone(), sandbox, shop };
        let result = tokio::spawn(test(page)).await;
        browser.close().await?;
        driver.kill().await?;
        // A profile that cannot be removed harms nothing.
        let _left = std::fs::remove_dir_all(&profile);
        match result {
            Ok(result) => result.map_err(|error| Failed::from(error.to_string())),
            Err(panic) => Err(Failed::from(panic.to_string())),
        }
    })
}

/// Starts chromedriver on a free port, which it prints.
async fn start_driver(
    chromedriver: PathBuf,
) -> Result<(Child, u16), Box<dyn std::error::Error + Send + Sync>> {
    let mut driver = Command::new(chromedriver)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let output = driver.stdout.take().ok_or("chromedriver has no output")?;
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        let port = line
            .split_once("successfully on port ")
            .map(|(_, port)| port.trim_end_matches('.').parse());
        if let Some(Ok(port)) = port {
            // It goes on printing and must find someone who reads.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok((driver, port));
        }
    }
    Err("chromedriver ended without a port".into())
}

async fn open_browser(
    chromium: &std::path::Path,
    port: u16,
    profile: &std::path::Path,
) -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    let profile = format!("--user-data-dir={}", profile.display());
    let options = json!({
        "binary": chromium,
        "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", profile,
        ],
    });
    let capabilities = Capabilities::from_iter([("goog:chromeOptions".to_owned(), options)]);
    let mut builder = ClientBuilder::new(HttpConnector::new());
    Ok(builder.capabilities(capabilities).connect(&format!("http://127.0.0.1:{port}")).await?)
}

/// A tiny shop that thanks whoever comes back.
async fn start_shop() -> std::io::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/thanks?order=7", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok() {
                let body = "<h1 id='thanks'>Thank you</h1>";
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\
                     Content-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                // A browser that left does not want the answer.
                let _left = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    Ok(url)
}

impl Page {
    /// The text of an element, once it is there.
    async fn text(&self, css: &str) -> Result<String, fantoccini::error::CmdError> {
        self.browser.wait().for_element(Locator::Css(css)).await?.text().await
    }

    async fn click(&self, css: &str) -> Result<(), fantoccini::error::CmdError> {
        self.browser.wait().for_element(Locator::Css(css)).await?.click().await
    }

    async fn choose(&self, css: &str, value: &str) -> Result<(), fantoccini::error::CmdError> {
        self.browser.wait().for_element(Locator::Css(css)).await?.select_by_value(value).await
    }

    async fn has(&self, css: &str) -> Result<bool, fantoccini::error::CmdError> {
        Ok(!self.browser.find_all(Locator::Css(css)).await?.is_empty())
    }

    /// Calls an API with JSON; returns the JSON it answers.
    async fn call(
        &self,
        url: String,
        authorization: String,
        body: Value,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let request = http::Request::post(url)
            .header("authorization", authorization)
            .header("content-type", "application/json")
            .body(http_body_util::Full::new(bytes::Bytes::from(body.to_string())))?;
        let executor = hyper_util::rt::TokioExecutor::new();
        let client = hyper_util::client::legacy::Client::builder(executor).build_http();
        let answer = client.request(request).await?.into_body();
        let answer = http_body_util::BodyExt::collect(answer).await?.to_bytes();
        Ok(serde_json::from_slice(&answer)?)
    }
}
