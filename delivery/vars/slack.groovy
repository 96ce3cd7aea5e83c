/** A Slack thread for each build: the first message opens it, all others answer. Without Slack, the log has the messages. */

Map open(String channel, String text) {
    return send([channel: channel, about: text, id: null], '#439FE0', 'started')
}

/** Continue the thread of another build by its id; any other text opens a new thread. */
Map join(String channel, String id, String text) {
    if (id ==~ /[A-Z0-9]{6,20}:\d{10}\.\d{6}/) {
        return [channel: channel, about: text, id: id]
    }
    return open(channel, text)
}

void good(Map thread, String text) {
    send(thread, 'good', text)
}

void warn(Map thread, String text) {
    send(thread, 'warning', text)
}

void bad(Map thread, String text) {
    send(thread, 'danger', text)
}

/** Send a message. A message that cannot be sent fails no build. */
private Map send(Map thread, String color, String text) {
    String message = "${thread.about}: ${text} (<${env.BUILD_URL}|log>)"
    echo "${thread.about}: ${text}"
    if (env.SLACK_CHANNEL) {
        try {
            def sent = slackSend(channel: thread.id ?: thread.channel ?: env.SLACK_CHANNEL, color: color, message: message)
            if (!thread.id && sent) {
                thread.id = sent.threadId
            }
        } catch (Exception failure) {
            echo "Slack: ${failure.message}"
        }
    }
    return thread
}
