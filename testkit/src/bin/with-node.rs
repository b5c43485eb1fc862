//! Runs a command beside a private server, for scripts: `with-node --set name=value -- psql`.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use snowflake_testkit::{Node, interrupt};

/// Starts a private server, runs a command whose PGHOST and so on lead there, stops the server.
#[derive(Parser)]
struct Arguments {
    /// A setting of the server
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true)]
    command: Vec<String>,
}

fn setting(text: &str) -> Result<(String, String)> {
    let (name, value) = text.split_once('=').context("a setting is written NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| interrupt::exit_code("with-node", Err(error)))
}

fn run() -> Result<ExitCode> {
    let Arguments { settings, command } = Arguments::parse();
    interrupt::catch()?;
    let builder = Node::builder("with-node");
    let builder = settings.iter().fold(builder, |builder, (name, value)| builder.set(name, value));
    let mut node = builder.start()?;
    let (program, arguments) = command.split_first().context("no command")?;
    let mut command = Command::new(program);
    let status = interrupt::run(command.args(arguments).envs(node.client_environment()))?;
    node.stop()?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}
