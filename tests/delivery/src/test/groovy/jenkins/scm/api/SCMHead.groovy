package jenkins.scm.api

import jenkins.scm.api.mixin.ChangeRequestSCMHead

/** Jenkins' own, which is not on Maven Central: what a job of a multibranch project builds. */
class SCMHead {
    static class HeadByItem {
        static SCMHead findHead(Object item) { item.pull ? new PullRequestHead() : new SCMHead() }
    }
}

class PullRequestHead extends SCMHead implements ChangeRequestSCMHead { }
