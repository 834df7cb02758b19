//! The texts that are part of the interface, word for word.

use jackfield_model::{Language, Message};

#[track_caller]
fn quoted(message: Message, english: &str, japanese: &str) {
    assert_eq!(message.text(Language::English), english);
    assert_eq!(message.text(Language::Japanese), japanese);
}

/// Proves SP-32.b.
#[test]
fn what_is_said_when_a_device_can_not_be_associated() {
    quoted(
        Message::NotAssociated,
        "This device could not be associated to your account. Please contact the System \
         administrator to complete provisioning.",
        "デバイスをアカウントに関連付けることができませんでした。プロビジョニングを完了するには、\
         システム管理者に問い合わせてください。",
    );
}

/// Proves SP-23.a.
#[test]
fn the_question_before_a_restart() {
    quoted(
        Message::RestartQuestion,
        "Changing the CTI Route Point Selection requires the Self-Provisioning service to \
         restart. Any active Self-Provisioning sessions will be terminated. If you do not restart \
         now, you will have to manually restart Self-Provisioning through the Jackfield interface.",
        "CTIルートポイントの選択を変更するには、セルフプロビジョニングサービスを再起動する必要が\
         あります。アクティブなすべてのセルフプロビジョニングセッションが終了します。今すぐ再起動\
         しない場合は、Jackfieldインターフェイスを使用してセルフプロビジョニングを手動で再起動する\
         必要があります。",
    );
}

/// Proves SP-24.a, SP-24.b and SP-24.c.
#[test]
fn the_three_answers_and_what_they_lead_to() {
    quoted(Message::SaveAndRestartNow, "Save and Restart Now", "保存して今すぐ再起動");
    quoted(Message::SaveWithoutRestarting, "Save Without Restarting", "保存して再起動しない");
    quoted(Message::Cancel, "Cancel", "キャンセル");
    quoted(
        Message::SavedAndRestarted,
        "Save successful. Self-Provisioning IVR service restarted successfully",
        "保存に成功しました。セルフプロビジョニングIVRサービスは正常に再起動しました",
    );
    quoted(
        Message::SavedRestartFailed,
        "Save successful. Failed to restart Self-Provisioning IVR service.",
        "保存に成功しました。セルフプロビジョニングIVRサービスの再起動に失敗しました。",
    );
    quoted(Message::Saved, "Save successful", "保存に成功しました");
}

/// Proves SP-21.b.
#[test]
fn nothing_is_chosen_at_first() {
    quoted(Message::NotSelected, "Not Selected", "未選択");
}

/// Proves SP-21.d.
#[test]
fn what_is_said_of_a_route_point_without_a_number() {
    quoted(
        Message::NoNumberOnRoutePoint,
        "No DN is assigned to the Route Point. Please assign a DN to the Route Point.",
        "ルートポイントに割り当てられているDNがありません。ルートポイントにDNを割り当ててください。",
    );
}

/// Proves SP-22.b and SP-22.c.
#[test]
fn what_an_application_user_that_can_not_work_is_warned_of() {
    quoted(
        Message::CtiRoleMissing,
        "\"Standard CTI Enabled\" role is not assigned for this application user. \
         Self-Provisioning IVR service will not work.",
        "\"標準CTIを有効にする\"権限はこのアプリケーションユーザに割り当てられていません。\
         セルフプロビジョニングIVRサービスが機能しません。",
    );
    quoted(
        Message::CredentialsMissing,
        "Valid credentials not set for this application User. Self-Provisioning IVR service will \
         not work.",
        "有効なクレデンシャルがこのアプリケーションユーザに設定されていません。\
         セルフプロビジョニングIVRサービスが機能しません。",
    );
}

/// Proves SP-43.c.
#[test]
fn the_label_of_the_switch_of_auto_registration() {
    let label = Message::AutoRegistrationDisabled.text(Language::English);
    assert_eq!(label, "Auto-registration Disabled on the Jackfield node");
}
